//! The rules that every answer of the page keeps: its headers, its HTML, its links, and the tokens.

use std::collections::BTreeMap;

use scraper::{ElementRef, Html, Node, Selector};

use crate::marked;
use crate::seed;
use crate::site::{Answer, Site};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const HEADERS: [(&str, &str); 7] = [
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("vary", "Cookie"),
];
/// The prefix of the tokens in the tests.
const PREFIX: &str = "acme_live_";
/// The number of characters of a token after its prefix.
const TOKEN: usize = 16 + 32 + 6;
const ID: usize = 16;

/// Asserts that an answer keeps all rules.
#[track_caller]
pub(crate) fn hold(site: &Site, method: &str, answer: &Answer) {
    let name = format!("{method} {} ({})", answer.path, answer.status);
    if answer.path.contains("/assets/") {
        return;
    }
    for (header, value) in HEADERS {
        if answer.status == 303 && header == "content-type" {
            continue;
        }
        assert_eq!(answer.header(header), Some(value), "{name}: {header}");
        assert_eq!(answer.headers.get_all(header).iter().count(), 1, "{name}: {header}");
    }
    hold_tokens(site, &name, answer);
    if answer.status == 303 {
        let target = answer.target();
        assert!(is_own(site, target) || is_of_host(site, target), "{name} leads to {target}");
        return;
    }
    let policy = (!site.has_own_layout).then_some(POLICY);
    assert_eq!(answer.header("content-security-policy"), policy, "{name}");
    if method == "HEAD" {
        return;
    }
    let mut faults = faults(site, &answer.text);
    if site.is_marked {
        faults.extend(marked::strays(&answer.text, &seed::data()));
    }
    assert!(faults.is_empty(), "{name}: {faults:#?}\n{}", answer.text);
}

pub(crate) fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a selector")
}

pub(crate) fn all<'a>(document: &'a Html, what: &str) -> Vec<ElementRef<'a>> {
    document.select(&selector(what)).collect()
}

/// Returns the faults of a document.
fn faults(site: &Site, text: &str) -> Vec<String> {
    let document = Html::parse_document(text);
    let mut faults: Vec<String> = document.errors.iter().map(ToString::to_string).collect();
    if !text.starts_with("<!DOCTYPE html>") {
        faults.push("no document type".to_owned());
    }
    structure(&document, &mut faults);
    references(&document, &mut faults);
    targets_of_faults(&document, &mut faults);
    controls(&document, &mut faults);
    nothing_inline(&document, &mut faults);
    links(site, &document, &mut faults);
    faults
}

fn structure(document: &Html, faults: &mut Vec<String>) {
    for (what, count) in [("title", 1), ("h1", 1), ("main", 1), ("html[lang]", 1), (".kw[lang]", 1)]
    {
        let found = all(document, what);
        if found.len() != count {
            faults.push(format!("{} {what}", found.len()));
        }
        for element in found.iter().filter(|_| ["title", "h1"].contains(&what)) {
            if text_of(*element).is_empty() {
                faults.push(format!("empty {what}"));
            }
        }
    }
    let mut level = 1;
    for heading in all(document, "h1, h2, h3, h4") {
        let next: usize = heading.value().name()[1..].parse().expect("a level");
        if next > level + 1 {
            faults.push(format!("h{next} after h{level}: {}", text_of(heading)));
        }
        level = next;
    }
    for table in all(document, "table") {
        if table.select(&selector("caption")).next().is_none() {
            faults.push("a table without a caption".to_owned());
        }
    }
    for head in all(document, "th:not([scope])") {
        faults.push(format!("no scope: {}", head.html()));
    }
    for group in all(document, "fieldset") {
        if group.select(&selector("legend")).next().is_none_or(|legend| text_of(legend).is_empty())
        {
            faults.push("a group without a legend".to_owned());
        }
    }
    for link in all(document, "a, button, summary, legend, caption, option, dt, h2, h3") {
        if text_of(link).is_empty() {
            faults.push(format!("nothing to read: {}", link.html()));
        }
    }
}

/// Ids are unique, and each reference has its target.
fn references(document: &Html, faults: &mut Vec<String>) {
    let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
    for element in all(document, "[id]") {
        *ids.entry(element.attr("id").unwrap_or_default()).or_default() += 1;
    }
    for (id, count) in &ids {
        if *count != 1 || id.is_empty() || id.contains(char::is_whitespace) {
            faults.push(format!("the id {id:?} {count} times"));
        }
    }
    let lists = ["for", "form", "aria-describedby", "aria-labelledby", "aria-controls", "headers"];
    for element in all(document, "*") {
        for attribute in lists {
            for id in element.attr(attribute).into_iter().flat_map(str::split_whitespace) {
                if !ids.contains_key(id) {
                    faults.push(format!("no {id}: {}", element.html()));
                }
            }
        }
        if let Some(id) = element.attr("href").and_then(|link| link.strip_prefix('#'))
            && !ids.contains_key(id)
        {
            faults.push(format!("no target: {}", element.html()));
        }
    }
}

/// The links of the summary of faults move the focus, so their targets can take it.
fn targets_of_faults(document: &Html, faults: &mut Vec<String>) {
    let linked: Vec<_> = all(document, "#errors a[href]")
        .iter()
        .filter_map(|link| link.attr("href")?.strip_prefix('#'))
        .collect();
    for target in all(document, "[id]") {
        let is_linked = linked.contains(&target.attr("id").unwrap_or_default());
        let is_control = ["input", "select", "textarea"].contains(&target.value().name());
        if is_linked && !is_control && target.attr("tabindex").is_none() {
            faults.push(format!("takes no focus: {}", target.html()));
        }
    }
}

/// Each control has a name and a label, and no button is without a form.
fn controls(document: &Html, faults: &mut Vec<String>) {
    let labels: Vec<_> = all(document, "label[for]")
        .into_iter()
        .filter(|label| !text_of(*label).is_empty())
        .collect();
    for control in all(document, "input, select, textarea") {
        let (kind, id) = (control.attr("type").unwrap_or_default(), control.attr("id"));
        if control.attr("name").is_none_or(str::is_empty) {
            faults.push(format!("no name: {}", control.html()));
        }
        if kind == "hidden" {
            continue;
        }
        let is_labeled = labels.iter().any(|label| id.is_some() && label.attr("for") == id);
        let is_named = control.attr("aria-label").is_some_and(|label| !label.is_empty());
        if !is_labeled && !is_named {
            faults.push(format!("no label: {}", control.html()));
        }
        let is_grouped = control
            .ancestors()
            .filter_map(ElementRef::wrap)
            .any(|element| element.value().name() == "fieldset");
        if kind == "radio" && !is_grouped {
            faults.push(format!("a radio button in no group: {}", control.html()));
        }
        if ["password", "file", "image"].contains(&kind) {
            faults.push(format!("the page asks for no {kind}: {}", control.html()));
        }
    }
    for (name, count) in counted(document, "select, textarea, input[type=text], input[type=date]") {
        // The forms of one screen have their own fields.
        let forms = all(document, "form").len();
        if count > forms.max(1) {
            faults.push(format!("{count} fields {name}"));
        }
    }
    for form in all(document, "form") {
        if form.select(&selector("button[type=submit]")).next().is_none() {
            faults.push(format!("no button: {}", form.attr("action").unwrap_or_default()));
        }
        if form.attr("enctype").is_some() || form.attr("target").is_some() {
            faults.push("a form of another kind".to_owned());
        }
    }
    for button in all(document, "button:not([type=submit])") {
        faults.push(format!("a button that needs a script: {}", button.html()));
    }
}

fn counted<'a>(document: &'a Html, what: &str) -> BTreeMap<&'a str, usize> {
    let mut names = BTreeMap::new();
    for control in all(document, what) {
        *names.entry(control.attr("name").unwrap_or_default()).or_default() += 1;
    }
    names
}

/// A strict policy allows nothing inline.
fn nothing_inline(document: &Html, faults: &mut Vec<String>) {
    for element in all(document, "*") {
        for (name, _) in element.value().attrs() {
            if name == "style" || name.starts_with("on") || name == "autofocus" || name == "srcdoc"
            {
                faults.push(format!("{name}: {}", element.html()));
            }
        }
        let name = element.value().name();
        if ["style", "iframe", "object", "embed", "base", "template", "svg"].contains(&name) {
            faults.push(format!("a {name}"));
        }
    }
    for script in all(document, "script") {
        if script.attr("src").is_none() || !script.inner_html().is_empty() {
            faults.push(format!("a script: {}", script.html()));
        }
    }
    for target in all(document, "[target], [tabindex], meta[http-equiv]") {
        if target.attr("tabindex") != Some("-1") {
            faults.push(format!("a target or an order: {}", target.html()));
        }
    }
}

/// Every address is one of the page, or a link of the host.
fn links(site: &Site, document: &Html, faults: &mut Vec<String>) {
    for attribute in
        ["href", "src", "action", "formaction", "data-kw-once", "data", "poster", "cite"]
    {
        for element in all(document, &format!("[{attribute}]")) {
            let link = element.attr(attribute).unwrap_or_default();
            let is_known = is_own(site, link) || is_of_host(site, link) || link.starts_with('#');
            if !is_known {
                faults.push(format!("{attribute} leads to {link}"));
            }
        }
    }
    for form in all(document, "form") {
        if !form.attr("action").is_some_and(|action| is_own(site, action)) {
            faults.push(format!("a form for {:?}", form.attr("action")));
        }
    }
}

/// Returns true for a path of the page itself.
pub(crate) fn is_own(site: &Site, link: &str) -> bool {
    let Some(rest) = link.strip_prefix(site.mount) else { return false };
    let is_below = rest.starts_with('/') && !rest.starts_with("//");
    let is_plain = link.chars().all(|c| c.is_ascii_graphic() && !"\\\"'<>`".contains(c));
    is_plain && (is_below || !site.mount.is_empty() && (rest.is_empty() || rest.starts_with('?')))
}

fn is_of_host(site: &Site, link: &str) -> bool {
    let without = link.split(['?', '&']).next().unwrap_or_default();
    site.links.iter().any(|known| link == *known || without == *known)
}

/// A token is text on the one screen that shows it, and nowhere else.
#[track_caller]
fn hold_tokens(site: &Site, name: &str, answer: &Answer) {
    let headers = format!("{:?}", answer.headers);
    for secret in &*site.shown.borrow() {
        assert!(!answer.text.contains(&**secret), "{name} repeats a token: {}", answer.text);
        assert!(!headers.contains(&**secret), "{name} repeats a token: {headers}");
    }
    assert!(tokens(&headers).is_empty(), "{name}: {headers}");
    let found = tokens(&answer.text);
    let Some(token) = found.first() else { return };
    assert!(name.starts_with("POST") && answer.status == 200, "{name} shows a token");
    assert!(found.iter().all(|other| other == token), "{name} shows one token");
    let secret = &token[token.len() - (TOKEN - ID)..];
    let document = Html::parse_document(&answer.text);
    let mut shown = 0;
    for node in document.tree.nodes() {
        match node.value() {
            Node::Text(text) if text.contains(secret) => {
                let around =
                    node.parent().and_then(ElementRef::wrap).expect("text is in an element");
                assert_eq!(around.value().name(), "code", "{name}");
                assert_eq!(around.attr("translate"), Some("no"), "{name}");
                assert_eq!(around.attr("spellcheck"), Some("false"), "{name}");
                shown += 1;
            }
            Node::Element(element) => {
                for (attribute, value) in element.attrs() {
                    assert!(!value.contains(secret), "{name}: the token is in {attribute}");
                }
            }
            Node::Comment(comment) => assert!(!comment.contains(secret), "{name}"),
            _ => {}
        }
    }
    assert_eq!(shown, answer.text.matches(secret).count(), "{name}");
    site.shown.borrow_mut().push(secret.to_owned());
}

/// Returns the tokens in a text.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let starts = text.match_indices(PREFIX).map(|(at, _)| at);
    let whole = starts.filter_map(|at| {
        let rest = &text[at + PREFIX.len()..];
        let length = rest.chars().take_while(char::is_ascii_alphanumeric).count();
        (length >= TOKEN).then(|| text[at..at + PREFIX.len() + TOKEN].to_owned())
    });
    whole.collect()
}

/// Returns the text of an element, with single spaces.
pub(crate) fn text_of(element: ElementRef<'_>) -> String {
    let text: String = element.text().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the text of a document as a reader sees it, with single spaces.
pub(crate) fn words(text: &str) -> String {
    let document = Html::parse_document(text);
    let body = all(&document, "body");
    let words: Vec<&str> = body.iter().flat_map(scraper::ElementRef::text).collect();
    words.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}
