//! Whether a page is accessible, as axe-core finds it, in both themes and on a narrow screen.

use std::fs;

use serde_json::{Value, json};

use common::TestResult;
use common::needs::Need;

use crate::tab::{Tab, Theme};

const RULES: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

impl Tab {
    /// Returns the violations of the current page in the light and the dark theme, one line for each.
    pub(crate) async fn violations(&self) -> TestResult<Vec<String>> {
        let axe = fs::read_to_string(Need::Axe.path())?;
        let mut lines = Vec::new();
        for theme in [Theme::Light, Theme::Dark] {
            self.set_theme(theme).await?;
            self.script(&axe).await?;
            let options = json!({ "runOnly": RULES, "resultTypes": ["violations"] });
            let run = "const [options, done] = arguments; \
                       axe.run(document, options).then(done, error => done(String(error)))";
            let result = self.client.execute_async(run, vec![options]).await?;
            let found = result["violations"].as_array().ok_or_else(|| result.to_string())?;
            lines.extend(found.iter().map(|violation| format!("{theme:?}: {}", line(violation))));
        }
        self.set_theme(Theme::Light).await?;
        Ok(lines)
    }
}

fn line(violation: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let nodes = violation["nodes"].as_array().into_iter().flatten();
    let nodes =
        nodes.map(|node| format!("{} ({})", text(&node["html"]), text(&node["failureSummary"])));
    format!("{}: {}", text(&violation["id"]), nodes.collect::<Vec<_>>().join("; "))
}
