//! Items that are written inside the invocation of a macro, such as `text_enum! { /// A kind. pub enum Kind { ... } }`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::Parser as _;
use syn::{Attribute, Ident};

use crate::items::ItemKind;

/// Macros whose first name without a keyword is that of a public type.
const TYPE_MACROS: [&str; 2] = ["host_id", "random_id"];

/// A documented name in the tokens of a macro.
pub(crate) struct Named {
    pub(crate) kind: ItemKind,
    pub(crate) ident: Ident,
    pub(crate) is_public: bool,
    pub(crate) attributes: Vec<Attribute>,
}

/// Returns the documented names of a macro's invocation.
pub(crate) fn named(name: &str, tokens: TokenStream) -> Vec<Named> {
    let mut found = Vec::new();
    let bare = if TYPE_MACROS.contains(&name) { ItemKind::Type } else { ItemKind::Value };
    collect(tokens, bare, bare == ItemKind::Type, &mut found);
    found
}

/// Collects the names of one level. A name without a keyword is of the kind `bare`.
fn collect(tokens: TokenStream, bare: ItemKind, is_public: bool, found: &mut Vec<Named>) {
    let mut tokens = tokens.into_iter().peekable();
    let mut attributes = TokenStream::new();
    let mut inner = None;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(hash) if hash.as_char() == '#' => {
                let group = tokens.next();
                attributes.extend([TokenTree::Punct(hash)].into_iter().chain(group));
            }
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                if let Some(is_public) = inner.take() {
                    collect(body.stream(), ItemKind::Variant, is_public, found);
                }
            }
            TokenTree::Ident(first) if !attributes.is_empty() => {
                let is_pub = first == "pub";
                let mut word = Some(first);
                let mut is_open = false;
                if is_pub {
                    let group = |token: &TokenTree| matches!(token, TokenTree::Group(_));
                    is_open = tokens.next_if(group).is_none();
                    word = ident(tokens.next());
                }
                let is_enum = word.as_ref().is_some_and(|word| word == "enum");
                if is_enum {
                    inner = Some(is_open);
                    word = ident(tokens.next());
                }
                let parsed = Attribute::parse_outer.parse2(std::mem::take(&mut attributes));
                if let (Some(ident), Ok(attributes)) = (word, parsed) {
                    let kind = if is_enum { ItemKind::Type } else { bare };
                    let is_public = if is_pub || is_enum { is_open } else { is_public };
                    found.push(Named { kind, ident, is_public, attributes });
                }
            }
            _ => {}
        }
    }
}

fn ident(token: Option<TokenTree>) -> Option<Ident> {
    match token {
        Some(TokenTree::Ident(ident)) => Some(ident),
        _ => None,
    }
}
