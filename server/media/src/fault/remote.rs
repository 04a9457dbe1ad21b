//! What a store says, in our words.

use object_store::Error;

use super::{Cause, Fault};

/// What was being done at the store, and so which right it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Writing an object.
    Write,
    /// Reading an object, or asking whether there is one.
    Read,
    /// Listing objects.
    List,
    /// Deleting an object.
    Delete,
}

impl Doing {
    const fn word(self) -> &'static str {
        match self {
            Self::Write => "written",
            Self::Read => "read",
            Self::List => "listed",
            Self::Delete => "deleted",
        }
    }

    /// What the right is called, at each provider.
    const fn right(self) -> &'static str {
        match self {
            Self::Write => {
                "s3:PutObject and s3:AbortMultipartUpload (Google: storage.objects.create; Azure: Write)"
            }
            Self::Read => {
                "s3:GetObject and s3:ListBucket (Google: storage.objects.get; Azure: Read)"
            }
            Self::List => "s3:ListBucket (Google: storage.objects.list; Azure: List)",
            Self::Delete => "s3:DeleteObject (Google: storage.objects.delete; Azure: Delete)",
        }
    }
}

/// Words of stores that say that the credentials are not known, whatever the status is.
const UNKNOWN: &[&str] = &[
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
    "TokenRefreshRequired",
    "AuthenticationFailed",
    "InvalidAuthenticationInfo",
    "invalid_grant",
    "AuthFailure",
];

/// The fault that an answer of a store is, at `place`, which is told to people.
pub fn of_store(error: &Error, doing: Doing, place: &str) -> Fault {
    let said = said(error);
    let fault = |cause, what: String| {
        Fault::new(cause, format!("`{place}` cannot be {}: {what}", doing.word()))
    };
    let code = code(&said);
    if code.as_deref().is_some_and(|it| UNKNOWN.contains(&it))
        || matches!(error, Error::Unauthenticated { .. })
    {
        let code = code.unwrap_or_else(|| "not authenticated".to_owned());
        return fault(
            Cause::Credentials,
            format!(
                "the store does not accept the credentials ({code}); check the key, its secret and the region"
            ),
        );
    }
    if matches!(code.as_deref(), Some("NoSuchBucket" | "ContainerNotFound"))
        || said.contains("bucket does not exist")
    {
        let what = "there is no such bucket or container; make it, or name another";
        return fault(Cause::Bucket, what.to_owned());
    }
    match error {
        Error::PermissionDenied { .. } => {
            fault(Cause::Rights, format!("the store does not allow it; grant {}", doing.right()))
        }
        Error::NotFound { .. } => {
            fault(Cause::Missing, "it is not there; run the upload again".to_owned())
        }
        Error::AlreadyExists { .. } | Error::Precondition { .. } => fault(
            Cause::Occupied,
            "something else is there by now; look what writes there, and run the same again"
                .to_owned(),
        ),
        _ => generic(&said, code, &fault),
    }
}

fn generic(said: &str, code: Option<String>, fault: &impl Fn(Cause, String) -> Fault) -> Fault {
    let has = |words: &[&str]| words.iter().any(|it| said.contains(it));
    let busy = ["SlowDown", "ServerBusy", "OperationTimedOut", "InternalError", "TooManyRequests"];
    if has(&["429", "500 Internal", "502 Bad", "503 Service", "504 Gateway"])
        || code.as_deref().is_some_and(|it| busy.contains(&it))
    {
        let what = "the store has too much to do; it is tried again, later and with fewer requests at once";
        return fault(Cause::Busy, what.to_owned());
    }
    // Also what the client says when it has no credentials and asks for those of a machine in the cloud.
    if has(&["169.254.169.254", "metadata.google.internal", "instance metadata"]) {
        let what = "no credentials were found, neither in the environment, nor in a file, nor of this machine; set them as README says";
        return fault(Cause::Credentials, what.to_owned());
    }
    if has(&[
        "error sending request",
        "HTTP error",
        "onnect",
        "timed out",
        "dns error",
        "closed",
        "reset",
    ]) {
        let what = "the store cannot be reached, or the connection was cut; check the address and the network";
        return fault(Cause::Connection, what.to_owned());
    }
    let what = code.unwrap_or_else(|| shortened(said));
    fault(
        Cause::Other,
        format!("{what}; see what the store's own log says of it, and run the same again"),
    )
}

/// Everything that it says, down to the first cause. Kept here: addresses in it may have signatures.
fn said(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(it) = source {
        text.push_str(": ");
        text.push_str(&it.to_string());
        source = it.source();
    }
    text
}

/// The store's own word for it.
fn code(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    Some(code.chars().filter(char::is_ascii_alphanumeric).take(64).collect())
}

fn shortened(said: &str) -> String {
    let line: String = said.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    // What comes after a `?` in an address may be a signature.
    let line: Vec<&str> = line.split(' ').map(|it| it.split('?').next().unwrap_or(it)).collect();
    line.join(" ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> Error {
        Error::Generic { store: "S3", source: text.to_owned().into() }
    }

    #[test]
    fn words_of_stores_are_told_apart() {
        let denied = Error::PermissionDenied {
            path: "k".into(),
            source: "403: <Error><Code>AccessDenied</Code></Error>".into(),
        };
        let fault = of_store(&denied, Doing::List, "s3://b");
        assert_eq!(fault.cause, Cause::Rights);
        assert!(fault.text.contains("s3:ListBucket"), "{fault}");
        let wrong = Error::PermissionDenied {
            path: "k".into(),
            source: "403: <Error><Code>SignatureDoesNotMatch</Code></Error>".into(),
        };
        assert_eq!(of_store(&wrong, Doing::Write, "s3://b").cause, Cause::Credentials);
        let cases = [
            ("x 503 Service Unavailable: <Code>SlowDown</Code>", Cause::Busy),
            ("x 429 Too Many Requests", Cause::Busy),
            ("HTTP error: error sending request", Cause::Connection),
            ("<Error><Code>NoSuchBucket</Code>", Cause::Bucket),
            ("<Error><Code>EntityTooLarge</Code>", Cause::Other),
        ];
        for (text, cause) in cases {
            assert_eq!(of_store(&generic(text), Doing::Write, "s3://b").cause, cause, "{text}");
        }
    }

    #[test]
    fn no_signature_is_told() {
        let fault =
            of_store(&generic("strange https://h/c?sig=SECRET&se=1\nend"), Doing::Read, "az://c");
        assert!(!fault.text.contains("SECRET"), "{fault}");
    }
}
