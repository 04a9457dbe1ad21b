//! A headless Chromium with a fresh profile, driven by `chromedriver`.

use std::process::Stdio;

use anyhow::{Context, Result};
use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use url::{ParseError, Url};

use crate::ready;

/// Whether pages may run scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scripts {
    On,
    Off,
}

/// What the visitor's system prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

/// How large the page is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    Desktop,
    Phone,
}

/// One browser with one page.
pub struct Browser {
    page: Client,
    _driver: Child,
    _profile: TempDir,
}

impl Browser {
    /// Starts `chromedriver` and, through it, Chromium (`CHROMEDRIVER` and `CHROMIUM`).
    pub async fn start(scripts: Scripts) -> Result<Self> {
        let program = std::env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        let mut driver = Command::new(&program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| {
                format!("cannot start `{}`; set CHROMEDRIVER", program.to_string_lossy())
            })?;
        let output = driver.stdout.take().context("chromedriver has no output")?;
        let port = port_of(output).await?;
        let profile = tempfile::tempdir()?;
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(scripts, &profile))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await?;
        Ok(Self { page, _driver: driver, _profile: profile })
    }

    /// Lets the browser be somebody who has signed in at `url`. `cookie`: `name=token`.
    pub async fn be(&self, url: &str, cookie: &str) -> Result<()> {
        let (name, value) = cookie.split_once('=').context("a cookie has a name")?;
        let cookie = json!({ "url": url, "name": name, "value": value, "httpOnly": true });
        self.devtools("Network.setCookie", cookie).await
    }

    /// Shows the page at `url` as it arrives.
    pub async fn open(&self, url: &str) -> Result<()> {
        Ok(self.page.goto(url).await?)
    }

    /// Shows the page at `url`, and waits until its scripts have taken it over.
    pub async fn open_live(&self, url: &str) -> Result<()> {
        self.open(url).await?;
        let live = || async { self.page.find(Locator::Css("html[data-live]")).await };
        ready::wait_for("the page to come alive", live).await?;
        Ok(())
    }

    /// Pretends to be `device`, with its owner preferring `scheme`.
    pub async fn pretend(&self, device: Device, scheme: Scheme) -> Result<()> {
        let (width, height, mobile) = match device {
            Device::Desktop => (1280, 800, false),
            Device::Phone => (360, 780, true),
        };
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": mobile });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await?;
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        // Colors on their way from one to the other are neither.
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": value },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools("Emulation.setEmulatedMedia", media).await
    }

    /// Pretends that the processor is so many times slower.
    pub async fn slow_down(&self, times: f64) -> Result<()> {
        self.devtools("Emulation.setCPUThrottlingRate", json!({ "rate": times })).await
    }

    /// Where it is, without the server.
    pub async fn path(&self) -> Result<String> {
        Ok(self.page.current_url().await?.path().to_owned())
    }

    /// What a person finds at `xpath`.
    pub async fn find(&self, xpath: &str) -> Result<Element> {
        Ok(self.page.find(Locator::XPath(xpath)).await?)
    }

    /// Waits until what a person finds at `xpath` reads like this: a page that is left may still be there for a moment.
    pub async fn wait_for(&self, xpath: &str, holds: impl Fn(&str) -> bool) -> Result<String> {
        ready::wait_for(&format!("what is at {xpath}"), async || {
            let text = self.find(xpath).await?.text().await?;
            anyhow::ensure!(holds(&text), "it reads `{text}`");
            Ok(text)
        })
        .await
    }

    /// Clicks what a person finds at `xpath`, once it is there.
    pub async fn press(&self, xpath: &str) -> Result<()> {
        ready::wait_for(xpath, async || anyhow::Ok(self.find(xpath).await?.click().await?)).await
    }

    /// Clicks the button that says `label`, once it is there.
    pub async fn click(&self, label: &str) -> Result<()> {
        self.press(&format!("//button[normalize-space()='{label}']")).await
    }

    /// Types `text` where the page asks for `name`, over what is there.
    pub async fn fill(&self, name: &str, text: &str) -> Result<()> {
        let field = self.find(&format!("//*[@name='{name}']")).await?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// Chooses the option `value` where the page asks for `name`.
    pub async fn choose(&self, name: &str, value: &str) -> Result<()> {
        let field = self.find(&format!("//select[@name='{name}']")).await?;
        Ok(field.select_by_value(value).await?)
    }

    /// Lets the browser be nobody again.
    pub async fn forget_cookies(&self) -> Result<()> {
        Ok(self.page.delete_all_cookies().await?)
    }

    /// Runs `script` as the body of an async function, and returns what it returns.
    pub async fn run(&self, script: &str) -> Result<Value> {
        let script = format!(
            "const done = arguments[arguments.length - 1]; \
             (async () => {{ {script} }})().then(done, (error) => done(String(error)))"
        );
        Ok(self.page.execute_async(&script, vec![]).await?)
    }

    /// What the page looks like, as PNG. The browser may still be putting a page in the place of the one before it.
    pub async fn screenshot(&self) -> Result<Vec<u8>> {
        ready::wait_for("a picture of the page", || self.page.screenshot()).await
    }

    /// What the browser's console says is wrong.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        let entries = self.page.issue_cmd(ConsoleLog).await?;
        let entries = entries.as_array().context("the console's log is no list")?;
        Ok(entries.iter().map(|it| it["message"].to_string()).collect())
    }

    /// Ends the browser.
    pub async fn close(self) -> Result<()> {
        Ok(self.page.close().await?)
    }

    async fn devtools(&self, command: &'static str, parameters: Value) -> Result<()> {
        self.page.issue_cmd(DevTools { command, parameters }).await?;
        Ok(())
    }
}

/// Reads the port from what `chromedriver` prints, and lets it print on.
async fn port_of(output: ChildStdout) -> Result<u16> {
    let mut lines = BufReader::new(output).lines();
    let port = loop {
        let line = lines.next_line().await?.context("chromedriver ended before it was ready")?;
        if let Some((_, port)) = line.split_once("successfully on port ") {
            break port.trim_end_matches('.').parse()?;
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok(port)
}

fn capabilities(scripts: Scripts, profile: &TempDir) -> serde_json::Map<String, Value> {
    const BLOCK: u8 = 2;
    const ALLOW: u8 = 1;
    let javascript = if scripts == Scripts::On { ALLOW } else { BLOCK };
    let binary = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    let options = json!({
        "binary": binary,
        "prefs": { "profile.managed_default_content_settings.javascript": javascript },
        "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-dev-shm-usage", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            format!("--user-data-dir={}", profile.path().display()),
        ],
    });
    [
        ("goog:chromeOptions".to_owned(), options),
        ("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" })),
        // However long a busy machine takes: these tests are not about that.
        ("timeouts".to_owned(), json!({ "script": 600_000, "pageLoad": 600_000 })),
    ]
    .into_iter()
    .collect()
}

/// A command of Chromium's own, beyond `WebDriver`.
#[derive(Debug)]
struct DevTools {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({ "cmd": self.command, "params": self.parameters });
        (Method::POST, Some(body.to_string()))
    }
}

/// Asks for what was logged since the last time.
#[derive(Debug)]
struct ConsoleLog;

impl WebDriverCompatibleCommand for ConsoleLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
