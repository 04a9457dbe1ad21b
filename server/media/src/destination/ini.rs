//! Files of credentials: sections in brackets, and keys with values.

use std::collections::HashMap;

use crate::fault::{Cause, Fault};

/// One section of such a file.
pub type Section = HashMap<String, String>;

/// The section with one of these names, of the file at `path`. `None` if there is none.
///
/// # Errors
///
/// If the file cannot be read.
pub fn section(path: &str, names: &[String]) -> Result<Option<Section>, Fault> {
    let text = std::fs::read_to_string(path).map_err(|it| {
        let what = format!("the file of credentials `{path}` cannot be read: {it}; check that it is there and readable");
        Fault::new(Cause::Credentials, what)
    })?;
    Ok(read(&text, names))
}

fn read(text: &str, names: &[String]) -> Option<Section> {
    let (mut found, mut within) = (None::<Section>, false);
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            within = names.iter().any(|it| it == name.trim());
            if within {
                found.get_or_insert_default();
            }
        } else if within
            && let Some((key, value)) = line.split_once('=')
            && let Some(section) = &mut found
        {
            section.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_read_and_its_neighbours_are_not() {
        let text = "# x\n[default]\nregion = eu-1\n\n[ profile dev ]\nAWS_Access_Key_Id=a=b\n; no\n[x]\nregion=us\n";
        let dev = read(text, &["dev".into(), "profile dev".into()]).unwrap();
        assert_eq!(dev.get("aws_access_key_id").map(String::as_str), Some("a=b"));
        assert_eq!(dev.len(), 1);
        assert!(read(text, &["y".into()]).is_none());
        assert!(section("/no/such/file", &[]).unwrap_err().text.contains("/no/such/file"));
    }
}
