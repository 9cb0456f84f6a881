//! Paging: one page, or all of them.

use serde_json::Value;

use crate::failure::Failure;
use crate::output::Reply;
use crate::page_args::Paging;
use crate::progress::Progress;
use crate::read::Read;
use crate::session::Session;
use crate::target::call::Call;

/// The number of items on a page if all pages are wanted: the most that the API allows.
const ALL: u16 = 500;

impl Paging {
    /// Reads the page of a call, and with `--all` all following pages.
    pub(crate) async fn read(&self, session: &Session, call: Call) -> Result<Value, Failure> {
        let mut first = Vec::new();
        if let Some(limit) = self.limit.or(self.all.then_some(ALL)) {
            first.push(("limit", limit.to_string()));
        }
        if let Some(cursor) = &self.after {
            first.push(("cursor", cursor.clone()));
        }
        let mut page = session.target.call(call.clone().query(&first)).await?;
        if !self.all {
            return Ok(page);
        }
        let progress = Progress::spinner(session.format, "reading all pages");
        while let Some(cursor) = page["next"].as_str() {
            let next = [("limit", ALL.to_string()), ("cursor", cursor.to_owned())];
            let mut following = session.target.call(call.clone().query(&next)).await?;
            let items = following["items"].take();
            if let (Some(all), Value::Array(items)) = (page["items"].as_array_mut(), items) {
                all.extend(items);
                progress.count("reading all pages", all.len());
            }
            page["next"] = following["next"].take();
        }
        Ok(page)
    }
}

/// Adds notes about the next page, or about the absence of items.
pub(crate) fn with_paging_notes(reply: Reply, page: &Value, what: &str) -> Reply {
    let next = page["next"].as_str();
    let is_nothing = page.list("/items").is_empty() && next.is_none();
    let reply = reply.note_if(is_nothing, &format!("no {what} found"));
    match next {
        Some(cursor) => {
            reply.note(format!("for the next page, add --after {cursor} (or --all for all pages)"))
        }
        None => reply,
    }
}
