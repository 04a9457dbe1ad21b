//! How the Enterprise SDK is installed: what to type.

/// What stands for the token until somebody gives theirs: a shell puts its variable in.
pub const TOKEN: &str = "${TOKEN}";

/// Commands that install the SDK, for one tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The tool.
    pub tool: &'static str,
    /// What to type, line by line.
    pub commands: String,
}

/// What to type to install this version of the SDK, for each tool, with [`TOKEN`] for the token.
pub fn recipes(version: &str) -> [Recipe; 3] {
    let token = TOKEN;
    // `0.10.x` is any `0.10`; quoted, or some shells would look for files of this name.
    let package = match version.strip_suffix(".x") {
        Some(line) => format!("\"fiftyone=={line}.*\""),
        None => format!("fiftyone=={version}"),
    };
    let index = format!("https://{token}@pypi.fiftyone.ai");
    [
        Recipe { tool: "pip", commands: format!("pip install --index-url {index} {package}") },
        Recipe { tool: "uv", commands: format!("uv pip install --index-url {index} {package}") },
        Recipe {
            tool: "poetry",
            commands: format!(
                "poetry source add --priority=explicit fiftyone https://pypi.fiftyone.ai/simple/\n\
                 poetry config http-basic.fiftyone {token} \"\"\n\
                 poetry add --source fiftyone {package}"
            ),
        },
    ]
}

/// The commands with somebody's token; as they are if there is none.
pub fn with_token(commands: &str, token: &str) -> String {
    match token.trim() {
        "" => commands.to_owned(),
        token => commands.replace(TOKEN, &encoded(token)),
    }
}

/// A token as it may stand in an address, and in a shell: everything but letters, digits and `-._~` by its bytes.
fn encoded(token: &str) -> String {
    let byte = |it: u8| match it {
        b'-' | b'.' | b'_' | b'~' => char::from(it).to_string(),
        it if it.is_ascii_alphanumeric() => char::from(it).to_string(),
        it => format!("%{it:02X}"),
    };
    token.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(version: &str, token: &str) -> [String; 3] {
        recipes(version).map(|it| with_token(&it.commands, token))
    }

    #[test]
    fn every_tool_gets_the_version_from_the_index_of_enterprise() {
        assert_eq!(
            commands("2.16.0", ""),
            [
                "pip install --index-url https://${TOKEN}@pypi.fiftyone.ai fiftyone==2.16.0",
                "uv pip install --index-url https://${TOKEN}@pypi.fiftyone.ai fiftyone==2.16.0",
                "poetry source add --priority=explicit fiftyone https://pypi.fiftyone.ai/simple/\n\
                 poetry config http-basic.fiftyone ${TOKEN} \"\"\n\
                 poetry add --source fiftyone fiftyone==2.16.0",
            ]
        );
    }

    #[test]
    fn a_version_whose_last_number_nobody_knows_is_any_of_its_line() {
        assert!(commands("0.10.x", "")[0].ends_with(" \"fiftyone==0.10.*\""));
    }

    #[test]
    fn a_token_takes_the_place_of_the_variable_and_cannot_leave_it() {
        let all = commands("2.16.0", " abc-1_2 ");
        assert!(all.iter().all(|it| it.contains("abc-1_2") && !it.contains("TOKEN")), "{all:?}");
        let evil = &commands("2.16.0", "a@b; rm -rf /")[0];
        assert!(evil.contains("https://a%40b%3B%20rm%20-rf%20%2F@pypi"), "{evil}");
    }
}
