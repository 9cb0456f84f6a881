//! A tab of a browser, and what a person can do in it.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use common::TestResult;

use crate::driver::Driver;
use crate::find::{Kind, is_named};
use crate::wire::Command;

/// Time until an element or a text must be there.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// A color scheme that a person prefers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Theme {
    Light,
    Dark,
}

pub(crate) struct Tab {
    pub(crate) client: Client,
    driver: Driver,
}

impl Tab {
    /// Starts a browser with one tab.
    pub(crate) async fn new() -> TestResult<Self> {
        let driver = Driver::start()?;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(driver.capabilities()).connect(&driver.url).await?;
        let tab = Self { client, driver };
        tab.set_size(1280, 900, 1).await?;
        Ok(tab)
    }

    /// Starts a browser that runs no scripts of pages.
    pub(crate) async fn without_javascript() -> TestResult<Self> {
        let tab = Self::new().await?;
        tab.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await?;
        Ok(tab)
    }

    /// Returns the folder of the browser's profile.
    pub(crate) fn profile(&self) -> PathBuf {
        self.driver.profile()
    }

    pub(crate) async fn open(&self, url: &str) -> TestResult {
        Ok(self.client.goto(url).await?)
    }

    pub(crate) async fn reload(&self) -> TestResult {
        Ok(self.client.refresh().await?)
    }

    pub(crate) async fn back(&self) -> TestResult {
        Ok(self.client.back().await?)
    }

    pub(crate) async fn forward(&self) -> TestResult {
        Ok(self.client.forward().await?)
    }

    /// Returns from a frame to the whole page.
    pub(crate) async fn leave_frame(&self) -> TestResult {
        let window = self.client.window().await?;
        Ok(self.client.switch_to_window(window).await?)
    }

    /// Returns the path and query of the current URL.
    pub(crate) async fn path(&self) -> TestResult<String> {
        let url = self.client.current_url().await?;
        Ok(url[url::Position::BeforePath..].to_owned())
    }

    /// Clicks a link.
    pub(crate) async fn follow(&self, link: &str) -> TestResult {
        self.on(Kind::Link, link, async |link| link.click().await).await
    }

    /// Clicks a button.
    pub(crate) async fn press(&self, button: &str) -> TestResult {
        self.on(Kind::Button, button, async |button| button.click().await).await
    }

    /// Chooses an option of a list.
    pub(crate) async fn select(&self, list: &str, option: &str) -> TestResult {
        self.on(Kind::Field, list, async |list| list.select_by_label(option).await).await
    }

    /// Chooses a radio button, or ticks or clears a checkbox.
    pub(crate) async fn choose(&self, label: &str) -> TestResult {
        self.on(Kind::Choice, label, async |choice| choice.click().await).await
    }

    /// Replaces the text of a field.
    pub(crate) async fn fill(&self, label: &str, text: &str) -> TestResult {
        let fill = async |field: &Element| {
            field.clear().await?;
            field.send_keys(text).await
        };
        self.on(Kind::Field, label, fill).await
    }

    /// Replaces the text of a field by that of the clipboard.
    pub(crate) async fn paste_into(&self, label: &str) -> TestResult {
        self.fill(label, &[char::from(Key::Control), 'v'].iter().collect::<String>()).await
    }

    /// Acts on an element. If the page has changed in between, it finds the element again.
    async fn on(
        &self,
        kind: Kind,
        name: &str,
        act: impl AsyncFn(&Element) -> Result<(), CmdError>,
    ) -> TestResult {
        loop {
            match act(&self.find(kind, name).await?).await {
                Err(error) if error.is_stale_element_reference() => {}
                done => return Ok(done?),
            }
        }
    }

    /// Returns the value of a field.
    pub(crate) async fn value(&self, label: &str) -> TestResult<String> {
        let field = self.find(Kind::Field, label).await?;
        Ok(field.prop("value").await?.unwrap_or_default())
    }

    /// Returns the text that a person sees.
    pub(crate) async fn text(&self) -> TestResult<String> {
        loop {
            match self.client.find(Locator::Css("body")).await?.text().await {
                Err(error) if error.is_stale_element_reference() => {}
                text => return Ok(text?),
            }
        }
    }

    /// Waits until the page shows this text.
    pub(crate) async fn sees(&self, text: &str) -> TestResult {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.text().await.unwrap_or_default();
            if shown.contains(text) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("the page does not show {text:?}:\n{shown}").into());
            }
            sleep(Duration::from_millis(30)).await;
        }
    }

    /// Presses a key, or types a text, where the focus is.
    pub(crate) async fn types(&self, text: &str) -> TestResult {
        let mut keys = KeyActions::new("keyboard".to_owned());
        for value in text.chars() {
            keys = keys.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        Ok(self.client.perform_actions(keys).await?)
    }

    /// Presses the tab key until an element of this kind and name has the focus.
    pub(crate) async fn tab_to(&self, kind: Kind, name: &str) -> TestResult {
        let mut passed = Vec::new();
        while passed.len() < 100 {
            self.types(&char::from(Key::Tab).to_string()).await?;
            let (focused, label) = self.focus().await?;
            if is_named(&label, name) && kind.covers(&focused) {
                return Ok(());
            }
            passed.push(label);
        }
        passed.dedup();
        Err(format!("the tab key does not lead to {name:?}, but to {passed:?}").into())
    }

    /// Sets the size of the viewport in CSS pixels, and the number of device pixels in each.
    pub(crate) async fn set_size(&self, width: u32, height: u32, scale: u32) -> TestResult {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await?;
        Ok(())
    }

    pub(crate) async fn set_theme(&self, theme: Theme) -> TestResult {
        let value = match theme {
            Theme::Light => "light",
            Theme::Dark => "dark",
        };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", features).await?;
        Ok(())
    }

    /// Returns the width of the content beyond the viewport.
    pub(crate) async fn overflow(&self) -> TestResult<i64> {
        let [width, shown] = self.measure(["root.scrollWidth", "root.clientWidth"]).await?;
        Ok(width - shown)
    }

    /// Returns two measures of the document, `root`, in CSS pixels.
    async fn measure(&self, [first, second]: [&str; 2]) -> TestResult<[i64; 2]> {
        // A new size or document is laid out with the next frame, and the frame after that one has it.
        let script = format!(
            "const root = document.documentElement; \
             return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => \
             done([{first}, {second}]))))"
        );
        let measures = self.script(&script).await?;
        let measure = |index: usize| measures[index].as_i64().ok_or("no measure");
        Ok([measure(0)?, measure(1)?])
    }

    /// Returns a picture of the whole page, as PNG.
    pub(crate) async fn picture(&self) -> TestResult<Vec<u8>> {
        let [width, height] = self.measure(["root.clientWidth", "root.scrollHeight"]).await?;
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let options = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.devtools("Page.captureScreenshot", options).await?;
        Ok(BASE64_STANDARD.decode(picture["data"].as_str().unwrap_or_default())?)
    }

    /// Returns what the browser's console complained of since the last call: violations of the content
    /// security policy, errors of scripts and assets that did not load.
    pub(crate) async fn complaints(&self) -> TestResult<Vec<String>> {
        let log = self.command("se/log", json!({ "type": "browser" })).await?;
        let entries = log.as_array().into_iter().flatten();
        let text = |entry: &Value| entry["message"].as_str().unwrap_or_default().to_owned();
        Ok(entries.map(text).filter(|text| !is_refusal(text)).collect())
    }

    /// Runs a script as the driver, so that no policy of the page applies.
    pub(crate) async fn script(&self, script: &str) -> TestResult<Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> TestResult<Value> {
        let body = json!({ "cmd": command, "params": parameters });
        self.command("goog/cdp/execute", body).await
    }

    async fn command(&self, path: &str, body: Value) -> TestResult<Value> {
        let command = Command { path: path.to_owned(), body: Some(body) };
        Ok(self.client.issue_cmd(command).await?)
    }
}

/// Returns whether a message only says that a document has an error status, as forms and refusals have.
fn is_refusal(message: &str) -> bool {
    let of_asset = |url: &str| [".css", ".mjs", ".js", ".png"].iter().any(|end| url.ends_with(end));
    let url = message.split(' ').next().unwrap_or_default();
    message.contains("the server responded with a status of 4") && !of_asset(url)
}
