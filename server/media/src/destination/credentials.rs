//! Credentials, by the conventions of FiftyOne: the environment first, then a file with a profile.

mod azure;
mod s3;

use std::{sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, RetryConfig, StaticCredentialProvider,
    gcp::{GcpCredential, GoogleCloudStorageBuilder},
};

use super::{Address, Bucket, Env, Provider, ini::Section};
use crate::fault::{Cause, Fault};

/// How long one request may take; a part of 16 MiB on a slow line.
const REQUEST: Duration = Duration::from_mins(5);

/// What addresses need to know of accounts; no secrets.
pub struct Accounts {
    /// `az`, unless it has another name.
    pub azure_alias: String,
    /// `https://ACCOUNT.blob.core.windows.net`, if an account is known.
    pub azure_url: Option<String>,
    /// `minio`, unless it has another name.
    pub minio_alias: String,
    /// `https://host:9000`, if a server is known.
    pub minio_url: Option<String>,
}

impl Accounts {
    /// Looks them up.
    ///
    /// # Errors
    ///
    /// If a file is named that cannot be read.
    pub fn read(env: Env<'_>) -> Result<Self, Fault> {
        let azure = azure::Account::read(env)?;
        let minio = s3::Keys::minio(env)?;
        Ok(Self {
            azure_alias: azure.alias.clone().unwrap_or_else(|| "az".to_owned()),
            azure_url: azure.url(),
            minio_alias: minio.alias.unwrap_or_else(|| "minio".to_owned()),
            minio_url: minio.endpoint.map(|it| it.trim_end_matches('/').to_owned()),
        })
    }
}

/// The way to a bucket.
pub fn bucket(address: &Address, env: Env<'_>) -> Result<Bucket, Fault> {
    provide_cryptography();
    let broken =
        |it: object_store::Error| crate::fault::of_store(&it, crate::Doing::Write, &address.url);
    match address.provider {
        Provider::S3 => {
            let keys = if address.is_minio { s3::Keys::minio(env)? } else { s3::Keys::aws(env)? };
            both(s3::builder(address, keys, env)?.build().map_err(broken)?)
        }
        Provider::Azure => {
            let account = azure::Account::read(env)?;
            both(azure::builder(address, &account)?.build().map_err(broken)?)
        }
        Provider::Google => both(google(address, env).build().map_err(broken)?),
        Provider::Folder => Err(Fault::new(Cause::Other, "a folder is no bucket")),
    }
}

fn both<T>(store: T) -> Result<Bucket, Fault>
where
    T: object_store::ObjectStore + object_store::multipart::MultipartStore,
{
    let store = Arc::new(store);
    Ok(Bucket { store: store.clone(), parts: store })
}

fn google(address: &Address, env: Env<'_>) -> GoogleCloudStorageBuilder {
    let emulator = env("STORAGE_EMULATOR_HOST");
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(&address.bucket)
        .with_retry(retry())
        .with_client_options(client(emulator.as_deref()));
    if let Some(file) = env("GOOGLE_APPLICATION_CREDENTIALS") {
        builder = builder.with_application_credentials(file);
    }
    if let Some(host) = emulator {
        let host = if host.contains("://") { host } else { format!("http://{host}") };
        // An emulator knows nobody. Without any credentials the client would ask the machine for some all the same.
        let nobody = StaticCredentialProvider::new(GcpCredential { bearer: String::new() });
        builder = builder.with_base_url(&host).with_credentials(Arc::new(nobody));
    }
    builder
}

/// The profile of a file that is named by one of the environment's words, or is at its usual place.
fn profile(
    env: Env<'_>,
    (file, usual): (Option<String>, Option<String>),
    asked: Option<&str>,
) -> Result<Option<Section>, Fault> {
    let name = asked.unwrap_or("default");
    let names = [name.to_owned(), format!("profile {name}")];
    if let Some(file) = file {
        return super::ini::section(&file, &names);
    }
    let usual = usual.and_then(|it| Some(format!("{}/{it}", env("HOME")?)));
    match usual.filter(|it| std::path::Path::new(it).is_file()) {
        Some(file) => super::ini::section(&file, &names),
        None => Ok(None),
    }
}

fn unknown_profile(name: &str, variable: &str) -> Fault {
    let what = format!(
        "there is no profile `{name}`, which `{variable}` names; add it to the file of credentials"
    );
    Fault::new(Cause::Credentials, what)
}

/// A few attempts of the client's own; what is left is told and tried again by whoever uploads.
fn retry() -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(1),
        base: 2.,
    };
    RetryConfig { backoff, max_retries: 2, retry_timeout: Duration::from_mins(1) }
}

fn client(endpoint: Option<&str>) -> ClientOptions {
    let plain = endpoint.is_some_and(|it| !it.starts_with("https:"));
    ClientOptions::new().with_allow_http(plain).with_timeout(REQUEST)
}

/// The driver of MongoDB brings one as well; whoever is first wins, and it is the same.
fn provide_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        rustls::crypto::ring::default_provider().install_default().ok();
    }
}
