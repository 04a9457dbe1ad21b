//! Keys of Amazon S3, and of servers that speak as it does.

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum};

use super::{client, profile, retry, unknown_profile};
use crate::{
    destination::{Address, Env},
    fault::{Cause, Fault},
};

/// Keys, as far as they are given. Not to be shown: it has no `Debug`.
#[derive(Default)]
pub struct Keys {
    pub key: Option<String>,
    pub secret: Option<String>,
    pub token: Option<String>,
    pub region: Option<String>,
    pub endpoint: Option<String>,
    pub alias: Option<String>,
}

impl Keys {
    /// As for Amazon's own.
    pub fn aws(env: Env<'_>) -> Result<Self, Fault> {
        let given = Self {
            key: env("AWS_ACCESS_KEY_ID"),
            secret: env("AWS_SECRET_ACCESS_KEY"),
            token: env("AWS_SESSION_TOKEN"),
            region: env("AWS_REGION").or_else(|| env("AWS_DEFAULT_REGION")),
            endpoint: env("AWS_ENDPOINT_URL_S3").or_else(|| env("AWS_ENDPOINT_URL")),
            alias: None,
        };
        let asked = env("AWS_PROFILE");
        let secrets = profile(
            env,
            (env("AWS_SHARED_CREDENTIALS_FILE"), Some(".aws/credentials".to_owned())),
            asked.as_deref(),
        )?;
        let config = profile(
            env,
            (env("AWS_CONFIG_FILE"), Some(".aws/config".to_owned())),
            asked.as_deref(),
        )?;
        if let Some(name) = &asked
            && secrets.is_none()
            && config.is_none()
        {
            return Err(unknown_profile(name, "AWS_PROFILE"));
        }
        let from = |key: &str| {
            let of = |it: &Option<super::Section>| it.as_ref().and_then(|it| it.get(key).cloned());
            of(&secrets).or_else(|| of(&config))
        };
        for other in ["role_arn", "credential_process", "sso_session", "sso_start_url"] {
            if given.key.is_none() && from("aws_access_key_id").is_none() && from(other).is_some() {
                return Err(Fault::new(
                    Cause::Credentials,
                    format!(
                        "the profile gets its keys by `{other}`, which this program cannot do; put keys into the environment, as \
                         `aws configure export-credentials --format env` prints them"
                    ),
                ));
            }
        }
        let file = Self {
            key: from("aws_access_key_id"),
            secret: from("aws_secret_access_key"),
            token: from("aws_session_token"),
            region: from("region"),
            endpoint: from("endpoint_url"),
            alias: None,
        };
        Ok(given.over(file))
    }

    /// As for a server of `MinIO`.
    pub fn minio(env: Env<'_>) -> Result<Self, Fault> {
        let given = Self {
            key: env("MINIO_ACCESS_KEY"),
            secret: env("MINIO_SECRET_ACCESS_KEY"),
            token: None,
            region: env("MINIO_REGION"),
            endpoint: env("MINIO_ENDPOINT_URL"),
            alias: env("MINIO_ALIAS"),
        };
        let asked = env("MINIO_PROFILE");
        let section = profile(env, (env("MINIO_CONFIG_FILE"), None), asked.as_deref())?;
        if let (Some(name), None, Some(_)) = (&asked, &section, env("MINIO_CONFIG_FILE")) {
            return Err(unknown_profile(name, "MINIO_PROFILE"));
        }
        let from = |key: &str| section.as_ref().and_then(|it| it.get(key).cloned());
        let file = Self {
            key: from("access_key"),
            secret: from("secret_access_key"),
            token: None,
            region: from("region"),
            endpoint: from("endpoint_url"),
            alias: from("alias"),
        };
        Ok(given.over(file))
    }

    /// The environment's keys go with the environment's token, and the file's with the file's.
    fn over(self, file: Self) -> Self {
        let (key, secret, token) = if self.key.is_some() {
            (self.key, self.secret, self.token)
        } else {
            (file.key, file.secret, file.token)
        };
        Self {
            key,
            secret,
            token,
            region: self.region.or(file.region),
            endpoint: self.endpoint.or(file.endpoint),
            alias: self.alias.or(file.alias),
        }
    }
}

/// The client of a bucket. The store compares what arrives with its SHA-256.
pub fn builder(address: &Address, keys: Keys, env: Env<'_>) -> Result<AmazonS3Builder, Fault> {
    let endpoint = keys.endpoint.or_else(|| address.endpoint().map(str::to_owned));
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&address.bucket)
        .with_checksum_algorithm(Checksum::SHA256)
        .with_retry(retry())
        .with_client_options(client(endpoint.as_deref().or(Some("https:"))));
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
    }
    if let Some(region) = keys.region {
        builder = builder.with_region(region);
    }
    match (keys.key, keys.secret) {
        (Some(key), Some(secret)) => {
            builder = builder.with_access_key_id(key).with_secret_access_key(secret);
            if let Some(token) = keys.token {
                builder = builder.with_token(token);
            }
        }
        (None, None) => {
            // A role by a file of the cluster, a container's, or the machine's own.
            for name in [
                "AWS_WEB_IDENTITY_TOKEN_FILE",
                "AWS_ROLE_ARN",
                "AWS_ROLE_SESSION_NAME",
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            ] {
                let key = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>();
                if let (Some(value), Ok(key)) = (env(name), key) {
                    builder = builder.with_config(key, value);
                }
            }
        }
        _ => {
            let what =
                "there is an access key without its secret, or a secret without its key; give both";
            return Err(Fault::new(Cause::Credentials, what));
        }
    }
    Ok(builder)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn env<'a>(known: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + Sync + 'a {
        move |name| known.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn keys_of_the_environment_come_first_and_are_not_mixed_with_those_of_a_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "[default]\naws_access_key_id=F\naws_secret_access_key=S\naws_session_token=T\nregion=eu\n").unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        let with_file = [("AWS_SHARED_CREDENTIALS_FILE", path.as_str())];
        let keys = Keys::aws(&env(&with_file)).unwrap();
        assert_eq!((keys.key.as_deref(), keys.token.as_deref()), (Some("F"), Some("T")));
        let both = [with_file[0], ("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "X")];
        let keys = Keys::aws(&env(&both)).unwrap();
        assert_eq!(
            (keys.key.as_deref(), keys.token, keys.region.as_deref()),
            (Some("E"), None, Some("eu"))
        );
        let other = [with_file[0], ("AWS_PROFILE", "gone")];
        assert!(Keys::aws(&env(&other)).err().unwrap().text.contains("no profile `gone`"));
    }

    #[test]
    fn a_profile_that_this_program_cannot_use_is_told() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "[profile x]\nrole_arn=arn:aws:iam::1:role/y\n").unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        let given = [("AWS_CONFIG_FILE", path.as_str()), ("AWS_PROFILE", "x")];
        assert!(Keys::aws(&env(&given)).err().unwrap().text.contains("role_arn"));
    }
}
