//! Parsing the commands that a server prints.

/// A command with curl, and the comment above it.
pub(crate) struct Line {
    pub(crate) what: String,
    /// The expected result: `200`, `grpc-status 7`.
    pub(crate) outcome: String,
    pub(crate) method: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) url: String,
}

impl Line {
    pub(crate) fn token(&self) -> Option<String> {
        let of = |(name, value): &(String, String)| {
            let token = value.strip_prefix("Bearer ").filter(|_| name == "authorization");
            token.map(ToOwned::to_owned)
        };
        self.headers.iter().find_map(of)
    }

    /// Returns the URL without scheme and address.
    pub(crate) fn path(&self) -> &str {
        let rest = self.url.strip_prefix("http://").expect("plain HTTP");
        &rest[rest.find('/').expect("a path")..]
    }
}

pub(crate) fn lines(printed: &str) -> Vec<Line> {
    let whole = printed.replace("\\\n", " ");
    let mut lines = whole.lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let Some((what, outcome)) = line.strip_prefix("# ").and_then(|l| l.rsplit_once(": "))
        else {
            continue;
        };
        let command = lines.next().expect("a command below the comment");
        let (_, curl) = command.split_once("curl ").expect("curl");
        let mut parsed = Line {
            what: what.to_owned(),
            outcome: outcome.to_owned(),
            method: "GET".to_owned(),
            headers: Vec::new(),
            body: String::new(),
            url: String::new(),
        };
        parsed.take(words(curl).into_iter());
        found.push(parsed);
    }
    found
}

impl Line {
    fn take(&mut self, mut words: impl Iterator<Item = String>) {
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("a value behind {word}"));
            match word.as_str() {
                "-i" | "-sS" | "--http2-prior-knowledge" => {}
                "-D" | "-o" => drop(value()),
                "-X" => self.method = value(),
                "-H" => {
                    let header = value();
                    let (name, value) = header.split_once(": ").expect("a header");
                    self.headers.push((name.to_owned(), value.to_owned()));
                }
                "-d" | "--data-binary" => {
                    self.body = value();
                    "POST".clone_into(&mut self.method);
                }
                url => {
                    assert!(url.starts_with("http://") && self.url.is_empty(), "{}", self.what);
                    url.clone_into(&mut self.url);
                }
            }
        }
    }
}

/// Splits a command like a shell: at spaces outside of single quotes.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    assert!(!quoted, "an open quote");
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}
