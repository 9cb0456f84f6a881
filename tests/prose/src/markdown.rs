//! Pages of Markdown: files, documentation and comments.

use pulldown_cmark::{
    BrokenLink, CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd,
};

/// The kind of a run of text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Heading,
    Paragraph,
    Item,
    Cell,
    HeaderCell,
}

/// A run of text: a paragraph, a heading, an item of a list or a cell of a table. Code is shown as one word,
/// `` `x` ``.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    /// The line at which each part of the text starts, by its place in the text.
    lines: Vec<(usize, usize)>,
    /// The text of a heading as it is, with code.
    pub(crate) plain: String,
}

impl Block {
    /// Returns the line of a place in the text.
    pub(crate) fn line(&self, place: usize) -> usize {
        let before = self.lines.iter().rev().find(|(start, _)| *start <= place);
        before.or(self.lines.first()).map_or(1, |(_, line)| *line)
    }
}

/// A block of code behind a fence, or indented.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) info: String,
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// A page, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) blocks: Vec<Block>,
    pub(crate) codes: Vec<Code>,
    /// The targets of links and pictures, with their lines.
    pub(crate) links: Vec<(String, usize)>,
    /// The kind of each thing at the top, in order; `None` for what is not a run of text.
    pub(crate) starts_with_paragraph: bool,
}

/// Takes a page apart. Its first line has the given number.
pub(crate) fn page(text: &str, first_line: usize) -> Page {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    let newlines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    let line_of = |at: usize| first_line + newlines.partition_point(|newline| *newline < at);
    let mut reader = Reader::default();
    // A name in brackets is a link, as for rustdoc, which looks for its target.
    let in_brackets = |_: BrokenLink<'_>| Some((CowStr::from(""), CowStr::from("")));
    let parser = Parser::new_with_broken_link_callback(text, options, Some(in_brackets));
    for (index, (event, range)) in parser.into_offset_iter().enumerate() {
        if index == 0 {
            reader.page.starts_with_paragraph = matches!(event, Event::Start(Tag::Paragraph));
        }
        reader.read(event, line_of(range.start));
    }
    reader.end();
    reader.page
}

#[derive(Default)]
struct Reader {
    page: Page,
    open: Option<Block>,
    code: Option<Code>,
    in_item: bool,
    in_head: bool,
}

impl Reader {
    fn read(&mut self, event: Event<'_>, line: usize) {
        match event {
            Event::Start(Tag::Paragraph) => {
                let kind = if self.in_item { Kind::Item } else { Kind::Paragraph };
                self.start(kind, line);
            }
            Event::Start(Tag::Heading { level, .. }) => {
                debug_assert!(level >= HeadingLevel::H1);
                self.start(Kind::Heading, line);
            }
            Event::Start(Tag::Item) => {
                self.in_item = true;
                self.start(Kind::Item, line);
            }
            Event::Start(Tag::TableHead) => self.in_head = true,
            Event::End(TagEnd::TableHead) => self.in_head = false,
            Event::Start(Tag::TableCell) => {
                let kind = if self.in_head { Kind::HeaderCell } else { Kind::Cell };
                self.start(kind, line);
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                self.end();
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some(Code { info, text: String::new(), line });
            }
            Event::End(TagEnd::CodeBlock) => self.page.codes.extend(self.code.take()),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                self.page.links.push((dest_url.to_string(), line));
            }
            Event::End(TagEnd::Item) => {
                self.end();
                self.in_item = false;
            }
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::TableCell) => self.end(),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.text.push_str(&text),
                None => self.push(&text, &text, line),
            },
            Event::Code(code) => self.push("`x`", &code, line),
            Event::SoftBreak | Event::HardBreak => self.push(" ", " ", line),
            _ => {}
        }
    }

    fn start(&mut self, kind: Kind, line: usize) {
        self.end();
        let (text, plain) = (String::new(), String::new());
        self.open = Some(Block { kind, text, plain, lines: vec![(0, line)] });
    }

    fn push(&mut self, text: &str, plain: &str, line: usize) {
        if let Some(block) = &mut self.open {
            block.lines.push((block.text.len(), line));
            block.text.push_str(text);
            block.plain.push_str(plain);
        }
    }

    fn end(&mut self) {
        self.page.blocks.extend(self.open.take().filter(|block| !block.text.trim().is_empty()));
    }
}

/// Returns the anchor of a heading, as rustdoc and GitHub both make it.
pub(crate) fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}
