//! Real servers that speak as object stores do, each for one test; and a bad way to one.

use std::{
    env,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{Dice, ready};

/// The account of Azurite, which everybody knows.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Which store a server speaks as. None of Google's is here: the emulators that package registries have speak its JSON interface
/// only, and the client its XML interface, which lists and takes uploads in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Amazon's.
    S3,
    /// Microsoft's.
    Azure,
}

/// A server with a bucket `bucket`. It ends with this.
#[derive(Debug)]
pub struct ObjectStore {
    kind: Kind,
    port: u16,
    server: Child,
    _folder: TempDir,
}

impl ObjectStore {
    /// Starts one.
    pub async fn start(kind: Kind) -> Self {
        let stores = PathBuf::from(env::var("STORES").expect("STORES is not set: run `make test`"));
        let folder = tempfile::tempdir().expect("no folder");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("no port is free");
        let port = free.local_addr().expect("no address").port();
        drop(free);
        let python = |name: &str| Command::new(stores.join("venv/bin").join(name));
        let number = port.to_string();
        let mut command = match kind {
            Kind::S3 => {
                let mut it = python("moto_server");
                it.args(["-H", "127.0.0.1", "-p", &number]);
                it
            }
            Kind::Azure => {
                let mut it = Command::new(stores.join("node_modules/.bin/azurite-blob"));
                it.args([
                    "--silent",
                    "--skipApiVersionCheck",
                    "--inMemoryPersistence",
                    "--disableTelemetry",
                    "--blobPort",
                    &number,
                ]);
                it
            }
        };
        command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = command.spawn().expect("the store does not start");
        let store = Self { kind, port, server, _folder: folder };
        ready::wait_for("the store", || async { TcpStream::connect((Ipv4Addr::LOCALHOST, port)) })
            .await
            .expect("the store does not listen");
        store.make_bucket();
        store
    }

    /// What leads to it, but for its address if there is something in between.
    pub fn env(&self, port: Option<u16>) -> Vec<(&'static str, String)> {
        let here = format!("http://127.0.0.1:{}", port.unwrap_or(self.port));
        match self.kind {
            Kind::S3 => vec![
                ("AWS_ACCESS_KEY_ID", "key".to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
                ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
                ("AWS_ENDPOINT_URL", here),
            ],
            Kind::Azure => vec![("AZURE_STORAGE_CONNECTION_STRING", connection(&here, KEY))],
        }
    }

    /// The same with a key that nobody has.
    pub fn wrong_env(&self) -> Vec<(&'static str, String)> {
        let here = format!("http://127.0.0.1:{}", self.port);
        let wrong = KEY.replace("Eby8", "AAAA");
        vec![("AZURE_STORAGE_CONNECTION_STRING", connection(&here, &wrong))]
    }

    /// The address of a folder in its bucket.
    pub fn destination(&self) -> &'static str {
        match self.kind {
            Kind::S3 => "s3://bucket/x",
            Kind::Azure => "az://bucket/x",
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// What it answers to a question without credentials, which moto takes: the head and the body.
    pub fn asked(&self, method: &str, path: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address()).expect("the store is gone");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("the store does not listen");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the store does not answer");
        let end = answer.windows(4).position(|it| it == b"\r\n\r\n").expect("no answer");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        (head, answer.split_off(end + 4))
    }

    fn make_bucket(&self) {
        match self.kind {
            Kind::S3 => {
                let (head, _) = self.asked("PUT", "/bucket");
                assert!(head.contains(" 200 "), "{head}");
            }
            Kind::Azure => {
                let script = CONTAINER.replace("PORT", &self.port.to_string()).replace("KEY", KEY);
                let made = Command::new("python3").args(["-c", &script]).status();
                assert!(made.expect("no Python").success(), "Azurite has made no container");
            }
        }
    }
}

impl Drop for ObjectStore {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

/// Makes a container: Azurite takes only what is signed.
const CONTAINER: &str = r#"
import base64, hashlib, hmac, urllib.request
from email.utils import formatdate
when, version = formatdate(usegmt=True), "2021-08-06"
text = f"PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{when}\nx-ms-version:{version}\n/devstoreaccount1/devstoreaccount1/bucket\nrestype:container"
signed = base64.b64encode(hmac.new(base64.b64decode("KEY"), text.encode(), hashlib.sha256).digest()).decode()
headers = {"x-ms-date": when, "x-ms-version": version, "Authorization": f"SharedKey devstoreaccount1:{signed}"}
address = "http://127.0.0.1:PORT/devstoreaccount1/bucket?restype=container"
urllib.request.urlopen(urllib.request.Request(address, method="PUT", headers=headers))
"#;

fn connection(here: &str, key: &str) -> String {
    format!(
        "DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={here}/{ACCOUNT};"
    )
}

/// A way to a store on which connections are refused with 500 and 503, and cut in the middle.
#[derive(Debug)]
pub struct BadWay {
    /// Where it begins.
    pub port: u16,
    faults: Arc<AtomicU32>,
}

impl BadWay {
    /// To this address, as bad as the dice say.
    pub async fn to(address: SocketAddr, dice: Dice) -> Self {
        let listener =
            tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("no port is free");
        let port = listener.local_addr().expect("no address").port();
        let faults = Arc::new(AtomicU32::new(0));
        let (counted, dice) = (faults.clone(), Arc::new(Mutex::new(dice)));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (chance, life) = {
                    let mut dice = dice.lock().expect("the dice are lost");
                    (dice.within(0..100), dice.within(5..400))
                };
                let counted = counted.clone();
                tokio::spawn(async move {
                    counted.fetch_add(1, Ordering::Relaxed);
                    carry(client, address, chance, Duration::from_millis(life)).await
                });
            }
        });
        Self { port, faults }
    }

    /// How many connections have ended badly: each of them does, sooner or later.
    pub fn faults(&self) -> u32 {
        self.faults.load(Ordering::Relaxed)
    }
}

async fn carry(
    mut client: tokio::net::TcpStream,
    address: SocketAddr,
    chance: u64,
    life: Duration,
) -> std::io::Result<()> {
    let refusal = match chance {
        0..10 => "500 Internal Server Error",
        10..25 => "503 Service Unavailable",
        _ => {
            let mut server = tokio::net::TcpStream::connect(address).await?;
            let carried = tokio::io::copy_bidirectional(&mut client, &mut server);
            // Whatever is under way then is cut.
            tokio::time::timeout(life, carried).await.ok();
            return Ok(());
        }
    };
    client.readable().await?;
    let answer = format!("HTTP/1.1 {refusal}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    client.write_all(answer.as_bytes()).await
}

/// A way to a store on which nobody may list what is there, as where a policy gives rights to objects alone.
#[derive(Debug)]
pub struct NoList {
    /// Where it begins.
    pub port: u16,
    refused: Arc<AtomicU32>,
}

impl NoList {
    /// To this address.
    pub async fn to(address: SocketAddr) -> Self {
        let listener =
            tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("no port is free");
        let port = listener.local_addr().expect("no address").port();
        let refused = Arc::new(AtomicU32::new(0));
        let counted = refused.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(without_lists(client, address, counted.clone()));
            }
        });
        Self { port, refused }
    }

    /// How often somebody has asked for a list.
    pub fn refused(&self) -> u32 {
        self.refused.load(Ordering::Relaxed)
    }
}

async fn without_lists(
    mut client: tokio::net::TcpStream,
    address: SocketAddr,
    refused: Arc<AtomicU32>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let line = head.split(|it| *it == b'\r').next().unwrap_or_default();
    if String::from_utf8_lossy(line).contains("list-type=") {
        refused.fetch_add(1, Ordering::Relaxed);
        let body = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        let answer = format!(
            "HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        return client.write_all(answer.as_bytes()).await;
    }
    // One request for each connection, so that none is missed.
    head.truncate(head.len() - 2);
    head.extend_from_slice(b"Connection: close\r\n\r\n");
    let mut server = tokio::net::TcpStream::connect(address).await?;
    server.write_all(&head).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await.map(drop)
}
