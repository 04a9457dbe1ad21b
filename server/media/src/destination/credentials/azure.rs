//! Keys of Azure Blob Storage.

use object_store::azure::MicrosoftAzureBuilder;

use super::{client, profile, retry, unknown_profile};
use crate::{
    destination::{Address, Env},
    fault::{Cause, Fault},
};

/// What is known of an account. Not to be shown: it has no `Debug`.
#[derive(Default)]
pub struct Account {
    pub name: Option<String>,
    key: Option<String>,
    sas: Option<String>,
    client: Option<(String, String, String)>,
    endpoint: Option<String>,
    pub alias: Option<String>,
}

impl Account {
    /// Looks it up: a connection string first, then single values, then a file.
    pub fn read(env: Env<'_>) -> Result<Self, Fault> {
        let asked = env("AZURE_PROFILE");
        let section = profile(env, (env("AZURE_CREDENTIALS_FILE"), None), asked.as_deref())?;
        if let (Some(name), None, Some(_)) = (&asked, &section, env("AZURE_CREDENTIALS_FILE")) {
            return Err(unknown_profile(name, "AZURE_PROFILE"));
        }
        // FiftyOne reads the file with an interpolating parser, so `%` is written twice there.
        let file =
            |key: &str| section.as_ref().and_then(|it| it.get(key)).map(|it| it.replace("%%", "%"));
        let value = |variable: &str, key: &str| env(variable).or_else(|| file(key));
        let string = value("AZURE_STORAGE_CONNECTION_STRING", "conn_str").unwrap_or_default();
        let part = |name: &str| {
            let mut parts = string.split(';').filter_map(|it| it.split_once('='));
            parts.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
        };
        let client = value("AZURE_CLIENT_ID", "client_id")
            .zip(value("AZURE_CLIENT_SECRET", "secret"))
            .zip(value("AZURE_TENANT_ID", "tenant"));
        Ok(Self {
            name: part("AccountName").or_else(|| value("AZURE_STORAGE_ACCOUNT", "account_name")),
            key: part("AccountKey").or_else(|| value("AZURE_STORAGE_KEY", "account_key")),
            sas: part("SharedAccessSignature").or_else(|| file("sas_token")),
            client: client.map(|((id, secret), tenant)| (id, secret, tenant)),
            endpoint: part("BlobEndpoint")
                .or_else(|| value("AZURE_STORAGE_ACCOUNT_URL", "account_url")),
            alias: value("AZURE_ALIAS", "alias"),
        })
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> Option<String> {
        let usual = || Some(format!("https://{}.blob.core.windows.net", self.name.as_ref()?));
        let url = self.endpoint.clone().or_else(usual)?;
        Some(url.trim_end_matches('/').to_owned())
    }
}

/// The client of a container.
pub fn builder(address: &Address, account: &Account) -> Result<MicrosoftAzureBuilder, Fault> {
    let endpoint = address.endpoint().unwrap_or_default();
    // The account that the address names, unless it is the one that we know, perhaps under a name of its own.
    let named = endpoint.split_once("://").and_then(|(_, host)| host.split_once(".blob.core."));
    let name = match named {
        Some((name, _)) => name.to_owned(),
        None => account.name.clone().ok_or_else(|| {
            Fault::new(Cause::Credentials, "the account is not known; set `AZURE_STORAGE_ACCOUNT`")
        })?,
    };
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(&name)
        .with_container_name(&address.bucket)
        .with_endpoint(endpoint.to_owned())
        .with_retry(retry())
        .with_client_options(client(Some(endpoint)));
    if account.name.as_ref().is_some_and(|it| *it != name) {
        let what = format!(
            "the credentials are those of another account than `{name}`; set `AZURE_STORAGE_ACCOUNT` and its key"
        );
        return Err(Fault::new(Cause::Credentials, what));
    }
    if let Some(key) = &account.key {
        builder = builder.with_access_key(key);
    } else if let Some(sas) = &account.sas {
        let pairs = sas.trim_start_matches('?').split('&').filter_map(|it| it.split_once('='));
        let decoded = |it: &str| {
            let pair = format!("x={it}").replace('+', "%2B");
            let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
            pairs.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let pairs: Vec<(String, String)> =
            pairs.map(|(key, value)| (key.to_owned(), decoded(value))).collect();
        builder = builder.with_sas_authorization(pairs);
    } else if let Some((id, secret, tenant)) = &account.client {
        builder = builder.with_client_secret_authorization(id, secret, tenant);
    }
    Ok(builder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_string_is_taken_apart() {
        let env = |name: &str| {
            let string = "DefaultEndpointsProtocol=http;AccountName=dev;AccountKey=a2V5PT0=;BlobEndpoint=http://127.0.0.1:1/dev;";
            (name == "AZURE_STORAGE_CONNECTION_STRING").then(|| string.to_owned())
        };
        let account = Account::read(&env).unwrap();
        assert_eq!(account.key.as_deref(), Some("a2V5PT0="));
        assert_eq!(account.url().as_deref(), Some("http://127.0.0.1:1/dev"));
        let address = Address::read("az://c/x", &env).unwrap();
        assert_eq!(address.url, "http://127.0.0.1:1/dev/c/x");
        assert!(builder(&address, &account).is_ok());
    }
}
