//! A walk through the page, without scripts: the walker follows every link, and fills in and sends
//! every form in several ways.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use keywright::Actor;
use scraper::Html;

use crate::form::{Control, Form};
use crate::rules::{all, is_own};
use crate::seed::ATTACKS;
use crate::site::{Answer, Site};

/// The addresses of one shape that are visited, and the forms of one shape that are sent.
const ALIKE: usize = 4;
/// The ways in which each form is filled in.
const WAYS: usize = 9;

/// The walk of one actor.
pub(crate) struct Walk<'a> {
    site: &'a Site,
    actor: &'a Actor,
    names: &'a [String],
    /// 1 for a whole walk; 2 or more to leave out ways to fill in a form, and addresses.
    step: usize,
    seen: BTreeSet<String>,
    shapes: BTreeMap<String, usize>,
    queue: VecDeque<String>,
    /// The screens with a form to send, and the action of that form.
    forms: Vec<(String, String)>,
    /// The shape of each address that was asked, with the status.
    pub(crate) visited: BTreeSet<(String, u16)>,
    /// The shape of each form that was sent, with the status.
    pub(crate) sent: BTreeSet<(String, u16)>,
    number: usize,
}

/// Walks through the whole page.
pub(crate) async fn walk<'a>(
    site: &'a Site,
    actor: &'a Actor,
    names: &'a [String],
    step: usize,
) -> Walk<'a> {
    let mut walk = Walk {
        site,
        actor,
        names,
        step,
        seen: BTreeSet::new(),
        shapes: BTreeMap::new(),
        queue: VecDeque::from([site.path("/")]),
        forms: Vec::new(),
        visited: BTreeSet::new(),
        sent: BTreeSet::new(),
        number: 0,
    };
    walk.follow_all().await;
    walk.send_all().await;
    walk
}

impl Walk<'_> {
    async fn follow_all(&mut self) {
        while let Some(path) = self.queue.pop_front() {
            let answer = self.open(&path).await;
            self.take(&answer).await;
        }
    }

    /// Opens an address that a screen showed. It must lead to a screen.
    async fn open(&mut self, path: &str) -> Answer {
        let answer = self.site.ask_at("GET", path.to_owned()).by(self.actor).send().await;
        // A filter or a selection can be refused like a form.
        let is_fine =
            [200, 303].contains(&answer.status) || answer.status == 422 && path.contains('?');
        assert!(is_fine, "{path} gave {}: {}", answer.status, answer.words());
        self.visited.insert((shape(path), answer.status));
        answer
    }

    /// Notes the links and the forms of an answer.
    async fn take(&mut self, answer: &Answer) {
        if self.visited.len() == 1 {
            self.fetch_assets(answer).await;
        }
        if answer.status == 303 {
            self.note(answer.target());
            return;
        }
        for link in links(answer) {
            if is_own(self.site, &link) {
                self.note(&link);
            }
        }
        for form in Form::all_of(answer) {
            if form.is_post {
                self.forms.push((answer.path.clone(), form.action));
            } else {
                for way in (0..WAYS).step_by(self.step) {
                    let filled = self.filled(answer, &form, way);
                    self.note(&format!("{}?{}", filled.action, filled.encoded()));
                }
            }
        }
    }

    /// Fetches the stylesheet and the script of a screen, as a browser does without a login.
    async fn fetch_assets(&self, answer: &Answer) {
        let document = Html::parse_document(&answer.text);
        let assets =
            [("link[rel=stylesheet]", "href", "text/css"), ("script", "src", "text/javascript")];
        for (what, attribute, kind) in assets {
            let found = all(&document, what);
            let [asset] = found.as_slice() else {
                panic!("{}: {} {what}", answer.path, found.len())
            };
            let path = asset.attr(attribute).expect("an address").to_owned();
            let file = self.site.ask_at("GET", path).unauthenticated().send().await;
            assert_eq!(file.status, 200, "{}", file.path);
            assert_eq!(file.header("content-type"), Some(&*format!("{kind}; charset=utf-8")));
            assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
            assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        }
    }

    fn note(&mut self, path: &str) {
        let path = path.split('#').next().unwrap_or_default().to_owned();
        let count = self.shapes.entry(shape(&path)).or_default();
        let limit = if path.contains('?') { WAYS } else { ALIKE } / self.step;
        if *count < limit && self.seen.insert(path.clone()) {
            *count += 1;
            self.queue.push_back(path);
        }
    }

    async fn send_all(&mut self) {
        let mut forms = std::mem::take(&mut self.forms);
        // Forms that end a record come last.
        forms.sort_by_key(|(_, action)| {
            ["disable", "suspend", "transfer", "revoke", "delete"]
                .iter()
                .position(|end| action.contains(end))
        });
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (page, action) in forms {
            let count = counts.entry(shape(&action)).or_default();
            *count += 1;
            if *count > ALIKE / self.step {
                continue;
            }
            for way in (0..WAYS).step_by(self.step) {
                self.send(&page, &action, way).await;
            }
        }
    }

    /// Opens a screen again, fills in its form in one way, and sends it.
    async fn send(&mut self, page: &str, action: &str, way: usize) {
        let screen = self.site.ask_at("GET", page.to_owned()).by(self.actor).send().await;
        let forms = Form::all_of(&screen).into_iter();
        // An earlier way can have ended the record.
        let Some(form) = forms.filter(|form| form.is_post).find(|form| form.action == action)
        else {
            return;
        };
        let filled = self.filled(&screen, &form, way);
        let answer = self.site.send(self.actor, &filled).await;
        let expected = [200, 303, 409, 412, 422];
        assert!(
            expected.contains(&answer.status),
            "{action} gave {} for {:?}: {}",
            answer.status,
            filled.fields,
            answer.words()
        );
        self.sent.insert((shape(action), answer.status));
        if answer.status == 422 {
            must_keep(&answer, &filled);
        }
        let next =
            if answer.status == 303 { vec![answer.target().to_owned()] } else { links(&answer) };
        for link in next {
            if is_own(self.site, &link) && self.seen.insert(link.clone()) {
                self.open(&link).await;
            }
        }
    }

    /// Fills in a form: as it is, blank, with one choice after the other, and with an attack.
    fn filled(&mut self, screen: &Answer, form: &Form, way: usize) -> Form {
        let mut filled = form.clone();
        for (place, control) in Form::controls_of(screen, &form.action).iter().enumerate() {
            let name = &*control.name;
            let texts = match (way, &*control.kind) {
                (0, _) => continue,
                (1, "radio" | "checkbox") => vec![],
                (1, "select") => vec![control.choices[0].clone()],
                (1, _) => vec![String::new()],
                (_, "checkbox") if (way + place).is_multiple_of(2) => control.choices.clone(),
                (_, "checkbox") => vec![],
                (_, "radio" | "select") => {
                    vec![control.choices[way % control.choices.len()].clone()]
                }
                (way, _) if way == WAYS - 1 => vec![ATTACKS[place % ATTACKS.len()].to_owned()],
                _ => match self.written(control) {
                    Some(text) => vec![text],
                    None => continue,
                },
            };
            filled = filled.without(name);
            filled.fields.extend(texts.into_iter().map(|text| (name.to_owned(), text)));
        }
        filled
    }

    /// Returns a text that fits a field, or `None` to leave the field.
    fn written(&mut self, control: &Control) -> Option<String> {
        self.number += 1;
        let text = match &*control.name {
            "name" => format!("walked {}", self.number),
            "description" | "contact" => "walked".to_owned(),
            "networks" => "203.0.113.0/25".to_owned(),
            "rate" => "10/60s".to_owned(),
            "expires_on" => "2031-01-31".to_owned(),
            "lifetime_days" | "overlap_hours" => "5".to_owned(),
            "user" => "bob".to_owned(),
            "q" => "prod".to_owned(),
            "from" => "2020-01-31".to_owned(),
            "to" => "2040-01-31".to_owned(),
            name if name.starts_with("typed") => {
                let fits = self.names.iter().filter(|name| control.label.contains(&***name));
                fits.max_by_key(|name| name.len())?.clone()
            }
            _ => return None,
        };
        Some(text)
    }
}

/// Asserts that a refused form has its values, and says in its summary and its title that it is refused.
#[track_caller]
fn must_keep(answer: &Answer, sent: &Form) {
    let document = Html::parse_document(&answer.text);
    assert!(!all(&document, "#errors li").is_empty(), "{}: {}", answer.path, answer.words());
    for fault in all(&document, ".kw-error[id]") {
        let field = fault.attr("id").and_then(|id| id.strip_suffix("-error")).expect("an id");
        let link = format!("#errors a[href=\"#{field}\"]");
        assert_eq!(all(&document, &link).len(), 1, "{}: no link to {field}", answer.path);
    }
    let again = Form::all_of(answer).into_iter().find(|form| form.action == sent.action);
    // An obstacle can leave no form.
    let Some(again) = again else { return };
    for control in Form::controls_of(answer, &sent.action) {
        let values = |form: &Form| -> Vec<String> {
            let values = form.fields.iter().filter(|(name, _)| *name == control.name);
            // A browser sends no date that is none, and trims nothing else.
            values.map(|(_, value)| value.trim().replace("\r\n", "\n")).collect()
        };
        assert_eq!(values(&again), values(sent), "{}: {}", answer.path, control.name);
    }
}

fn links(answer: &Answer) -> Vec<String> {
    let document = Html::parse_document(&answer.text);
    all(&document, "a[href]")
        .iter()
        .filter_map(|link| link.attr("href"))
        .map(str::to_owned)
        .collect()
}

/// Returns an address with its ids and values left out.
fn shape(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let part = |part: &str| {
        let is_id = part.len() == 16 && part.chars().all(|c| c.is_ascii_alphanumeric());
        if is_id { "{id}".to_owned() } else { part.to_owned() }
    };
    let path = path.split('/').map(part).collect::<Vec<_>>().join("/");
    let names: BTreeSet<&str> =
        query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    if query.is_empty() {
        path
    } else {
        format!("{path}?{}", names.into_iter().collect::<Vec<_>>().join("&"))
    }
}
