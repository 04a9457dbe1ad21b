//! Reading the address of a destination.

use model::media_path::{PathKind, scheme};

use super::{Env, credentials::Accounts};
use crate::fault::{Cause, Fault};

/// Whose a destination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Amazon's, or a server that speaks as they do, such as `MinIO`.
    S3,
    /// Google's.
    Google,
    /// Microsoft's.
    Azure,
    /// A folder of this system, which may be mounted from elsewhere.
    Folder,
}

/// An address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Whose.
    pub provider: Provider,
    /// The bucket or container; empty for a folder.
    pub bucket: String,
    /// The folder in it, without slashes around it.
    pub prefix: String,
    /// The whole of it in the long form, which means the same everywhere, without a slash at its end.
    pub url: String,
    /// Whether it is a server of `MinIO`, with credentials of its own.
    pub is_minio: bool,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// A sentence, if it makes no sense.
    pub fn read(url: &str, env: Env<'_>) -> Result<Self, Fault> {
        let told: String = url.split(['?', '#']).next().unwrap_or_default().to_owned();
        if told != url || authority(url).contains('@') {
            return Err(wrong(
                "an address of a destination has no credentials and no parameters in it; give them in the environment or in a file",
            ));
        }
        if PathKind::of(url) == PathKind::Unix || scheme(url) == Some("file") {
            return folder(url);
        }
        let Some(scheme) = scheme(url) else {
            return Err(wrong(&format!(
                "`{url}` is no destination; there are `s3://bucket/folder`, `gs://bucket/folder`, \
                 `https://ACCOUNT.blob.core.windows.net/container/folder`, the address of a MinIO server, and folders as `/folder`"
            )));
        };
        let rest = &url[scheme.len() + 3..];
        let accounts = Accounts::read(env)?;
        match scheme {
            "s3" | "s3a" => Self::of(Provider::S3, "s3://", rest),
            "gs" | "gcs" => Self::of(Provider::Google, "gs://", rest),
            "http" | "https" => Self::of_host(url, &accounts),
            alias if alias == accounts.azure_alias => {
                let base = accounts.azure_url.ok_or_else(|| {
                    wrong(&format!("`{alias}://` needs an account; set `AZURE_STORAGE_ACCOUNT`"))
                })?;
                Self::of(Provider::Azure, &format!("{base}/"), rest)
            }
            alias if alias == accounts.minio_alias => {
                let base = accounts.minio_url.ok_or_else(|| {
                    wrong(&format!("`{alias}://` needs a server; set `MINIO_ENDPOINT_URL`"))
                })?;
                Ok(Self { is_minio: true, ..Self::of(Provider::S3, &format!("{base}/"), rest)? })
            }
            other => Err(wrong(&format!(
                "`{other}://` is not known; there are `s3://`, `gs://`, `{}://` and `{}://`",
                accounts.azure_alias, accounts.minio_alias
            ))),
        }
    }

    fn of_host(url: &str, accounts: &Accounts) -> Result<Self, Fault> {
        let below = |base: &Option<String>| {
            let base = base.clone()?;
            let rest = url.strip_prefix(&base)?.strip_prefix('/')?;
            Some((format!("{base}/"), rest.to_owned()))
        };
        if let Some((base, rest)) = below(&accounts.azure_url) {
            return Self::of(Provider::Azure, &base, &rest);
        }
        if let Some((base, rest)) = below(&accounts.minio_url) {
            return Ok(Self { is_minio: true, ..Self::of(Provider::S3, &base, &rest)? });
        }
        let host = authority(url);
        if host.contains(".blob.core.") {
            let base = format!("https://{host}/");
            let rest =
                url.split_once("://").and_then(|(_, it)| it.split_once('/')).map_or("", |it| it.1);
            return Self::of(Provider::Azure, &base, rest);
        }
        Err(wrong(&format!(
            "`{host}` is no store that is known; set `MINIO_ENDPOINT_URL` or `AZURE_STORAGE_ACCOUNT_URL` to its address if it is one"
        )))
    }

    fn of(provider: Provider, base: &str, rest: &str) -> Result<Self, Fault> {
        let mut parts = rest.split('/').filter(|it| !it.is_empty());
        let bucket = parts.next().unwrap_or_default().to_owned();
        if bucket.is_empty() {
            return Err(wrong(&format!("`{base}{rest}` names no bucket or container; add it")));
        }
        let prefix: Vec<&str> = parts.collect();
        if prefix.iter().any(|it| matches!(*it, "." | "..")) {
            return Err(wrong(&format!("`{base}{rest}` has `.` or `..` in it; write it out")));
        }
        let prefix = prefix.join("/");
        let slash = if prefix.is_empty() { "" } else { "/" };
        let url = format!("{base}{bucket}{slash}{prefix}");
        Ok(Self { provider, bucket, prefix, url, is_minio: false })
    }

    /// What stands before `/bucket/folder` in the address of a server: its scheme and host.
    pub fn endpoint(&self) -> Option<&str> {
        let (base, _) = self.url.split_at(self.url.len() - self.tail());
        let base = base.trim_end_matches('/');
        base.starts_with("http").then_some(base)
    }

    fn tail(&self) -> usize {
        let slash = usize::from(!self.prefix.is_empty());
        self.bucket.len() + slash + self.prefix.len()
    }

    /// The path of a place below it.
    pub fn path_of(&self, place: &str) -> String {
        format!("{}/{place}", self.url.trim_end_matches('/'))
    }
}

fn folder(url: &str) -> Result<Address, Fault> {
    let path = url.strip_prefix("file://").unwrap_or(url);
    let Ok(path) = crate::layout::local(path) else {
        return Err(wrong(&format!("`{url}` is no folder of this system; write it as `/folder`")));
    };
    let prefix = path[1..].to_owned();
    Ok(Address {
        provider: Provider::Folder,
        bucket: String::new(),
        prefix,
        url: path,
        is_minio: false,
    })
}

fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

fn wrong(text: &str) -> Fault {
    Fault::new(Cause::Other, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        let known = [
            ("AZURE_STORAGE_ACCOUNT", "acct"),
            ("AZURE_STORAGE_KEY", "a2V5"),
            ("MINIO_ENDPOINT_URL", "http://minio.local:9000/"),
            ("MINIO_ALIAS", "store"),
        ];
        known.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned())
    }

    fn read(url: &str) -> Address {
        Address::read(url, &env).unwrap()
    }

    #[test]
    fn addresses_are_written_in_their_long_form() {
        for (given, long) in [
            ("s3://b/a//c/", "s3://b/a/c"),
            ("gs://b", "gs://b"),
            ("az://c/x", "https://acct.blob.core.windows.net/c/x"),
            ("https://acct.blob.core.windows.net/c/x", "https://acct.blob.core.windows.net/c/x"),
            ("https://other.blob.core.windows.net/c", "https://other.blob.core.windows.net/c"),
            ("store://b/x", "http://minio.local:9000/b/x"),
            ("http://minio.local:9000/b/x", "http://minio.local:9000/b/x"),
            ("file:///a/b/", "/a/b"),
            ("/a/../b", "/b"),
        ] {
            assert_eq!(read(given).url, long, "{given}");
        }
        assert_eq!(read("s3://b").path_of("x.png"), "s3://b/x.png");
        assert_eq!(read("/").path_of("x.png"), "/x.png");
        assert_eq!(read("store://b/x").endpoint(), Some("http://minio.local:9000"));
        assert_eq!(read("s3://b/x").endpoint(), None);
    }

    #[test]
    fn what_makes_no_sense_is_told_without_secrets() {
        for (url, part) in [
            ("s3://key:secret@b/x", "no credentials"),
            ("https://a.blob.core.windows.net/c?sig=secret", "no credentials"),
            ("s3://", "names no bucket"),
            ("s3://b/../c", "has `.` or `..`"),
            ("ftp://b", "`ftp://` is not known"),
            ("b/c", "is no destination"),
            ("https://example.com/b", "is no store that is known"),
        ] {
            let error = Address::read(url, &env).unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains("secret"), "{url}: {error}");
        }
    }
}
