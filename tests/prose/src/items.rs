//! The items of a Rust file, with their documentation.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Visibility};

use crate::in_macros::named;

/// The kind of an item.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ItemKind {
    Function,
    Type,
    Trait,
    /// A constant, a static, an alias of a type or a macro.
    Value,
    Field,
    Variant,
    Module,
}

/// An item of a Rust file.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) kind: ItemKind,
    pub(crate) name: String,
    /// The type or trait that it is of.
    pub(crate) owner: Option<String>,
    pub(crate) line: usize,
    /// A plain `pub` is taken as public: `unreachable_pub` sees to it that it is.
    pub(crate) is_public: bool,
    pub(crate) is_test: bool,
    /// Hidden from the documentation, documented from a file, or in a module of tests.
    pub(crate) is_exempt: bool,
    /// The documentation, with the line of its beginning.
    pub(crate) docs: Option<(usize, String)>,
    /// The texts of `#[error]`, with their lines.
    pub(crate) errors: Vec<(usize, String)>,
}

impl Item {
    /// Returns the name with its owner's: `Key::id`.
    pub(crate) fn path(&self) -> String {
        match &self.owner {
            Some(owner) => format!("{owner}::{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Returns the items of a file, in order. A file that is not Rust has none.
pub(crate) fn items(text: &str) -> Vec<Item> {
    let Ok(file) = syn::parse_file(text) else { return Vec::new() };
    let mut reader = Reader { items: Vec::new(), owner: None, in_tests: false, depth: 0 };
    let docs = Docs::of(&file.attrs);
    let module = Found { kind: ItemKind::Module, name: "module", line: 1, is_public: false };
    if docs.text.is_some() {
        reader.push(&module, docs);
    }
    reader.visit_file(&file);
    reader.items
}

struct Reader {
    items: Vec<Item>,
    owner: Option<(String, bool)>,
    in_tests: bool,
    /// How deep within the bodies of functions and within private modules.
    depth: usize,
}

struct Found<'f> {
    kind: ItemKind,
    name: &'f str,
    line: usize,
    is_public: bool,
}

/// The content of an item's attributes.
struct Docs {
    text: Option<(usize, String)>,
    is_exempt: bool,
    is_test: bool,
    is_test_only: bool,
    errors: Vec<(usize, String)>,
}

impl Docs {
    fn of(attributes: &[Attribute]) -> Self {
        let mut found = Self {
            text: None,
            is_exempt: false,
            is_test: false,
            is_test_only: false,
            errors: Vec::new(),
        };
        for attribute in attributes {
            let path = attribute.path();
            let line = attribute.span().start().line;
            let name = path.segments.last().map(|segment| segment.ident.to_string());
            match (name.as_deref(), &attribute.meta) {
                (Some("doc"), Meta::NameValue(pair)) => match &pair.value {
                    Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
                        let value = text.value();
                        let value = unindented(&value);
                        let (_, whole) = found.text.get_or_insert((line, String::new()));
                        whole.push_str(&value);
                        whole.push('\n');
                    }
                    _ => found.is_exempt = true,
                },
                (Some("doc"), Meta::List(list)) => {
                    found.is_exempt |= list.tokens.to_string().contains("hidden");
                }
                (Some("test"), _) => found.is_test = true,
                (Some("cfg"), Meta::List(list)) => {
                    found.is_test_only |= list.tokens.to_string() == "test";
                }
                (Some("error"), Meta::List(list)) => {
                    let first = list.tokens.clone().into_iter().next();
                    let text = first
                        .and_then(|token| syn::parse_str::<syn::LitStr>(&token.to_string()).ok());
                    found.errors.extend(text.map(|text| (line, text.value())));
                }
                _ => {}
            }
        }
        found
    }
}

/// Removes the space after the marker of each line.
fn unindented(text: &str) -> String {
    let lines = text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

impl Reader {
    fn push(&mut self, found: &Found<'_>, docs: Docs) {
        self.items.push(Item {
            kind: found.kind,
            name: found.name.to_owned(),
            owner: self.owner.as_ref().map(|(owner, _)| owner.clone()),
            line: found.line,
            is_public: found.is_public && self.depth == 0,
            is_test: docs.is_test,
            is_exempt: docs.is_exempt || docs.is_test_only || self.in_tests,
            docs: docs.text,
            errors: docs.errors,
        });
    }

    fn item(&mut self, kind: ItemKind, ident: &syn::Ident, is_public: bool, docs: Docs) {
        let line = ident.span().start().line;
        self.push(&Found { kind, name: &ident.to_string(), line, is_public }, docs);
    }

    /// Reads a type or a trait, and what is within it.
    fn container(
        &mut self,
        kind: ItemKind,
        ident: &syn::Ident,
        visibility: &Visibility,
        attributes: &[Attribute],
        read: impl FnOnce(&mut Self),
    ) {
        let is_public = is_pub(visibility);
        self.item(kind, ident, is_public, Docs::of(attributes));
        self.within(ident.to_string(), is_public, read);
    }

    /// Reads what is within an item, under its name.
    fn within(&mut self, owner: String, is_public: bool, read: impl FnOnce(&mut Self)) {
        let outer = self.owner.replace((owner, is_public));
        read(self);
        self.owner = outer;
    }
}

fn is_pub(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

impl<'a> Visit<'a> for Reader {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        let docs = Docs::of(&item.attrs);
        self.item(ItemKind::Function, &item.sig.ident, is_pub(&item.vis), docs);
        self.depth += 1;
        visit::visit_item_fn(self, item);
        self.depth -= 1;
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        let docs = Docs::of(&item.attrs);
        let is_tests = docs.is_test_only;
        if docs.text.is_some() {
            self.item(ItemKind::Module, &item.ident, is_pub(&item.vis), docs);
        }
        let outer = self.in_tests;
        self.in_tests |= is_tests;
        // Other crates cannot name what a private module contains.
        let hidden = usize::from(item.content.is_some() && !is_pub(&item.vis));
        self.depth += hidden;
        visit::visit_item_mod(self, item);
        self.depth -= hidden;
        self.in_tests = outer;
    }

    fn visit_item_struct(&mut self, item: &'a syn::ItemStruct) {
        self.container(ItemKind::Type, &item.ident, &item.vis, &item.attrs, |reader| {
            visit::visit_item_struct(reader, item);
        });
    }

    fn visit_item_enum(&mut self, item: &'a syn::ItemEnum) {
        self.container(ItemKind::Type, &item.ident, &item.vis, &item.attrs, |reader| {
            visit::visit_item_enum(reader, item);
        });
    }

    fn visit_variant(&mut self, variant: &'a syn::Variant) {
        let is_public = self.owner.as_ref().is_some_and(|(_, is_public)| *is_public);
        let docs = Docs::of(&variant.attrs);
        self.item(ItemKind::Variant, &variant.ident, is_public, docs);
        // A field of a variant may go without documentation.
        visit::visit_variant(self, variant);
    }

    fn visit_field(&mut self, field: &'a syn::Field) {
        let Some(ident) = &field.ident else { return };
        let docs = Docs::of(&field.attrs);
        self.item(ItemKind::Field, ident, is_pub(&field.vis), docs);
    }

    fn visit_item_trait(&mut self, item: &'a syn::ItemTrait) {
        self.container(ItemKind::Trait, &item.ident, &item.vis, &item.attrs, |reader| {
            visit::visit_item_trait(reader, item);
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        let is_public = self.owner.as_ref().is_some_and(|(_, is_public)| *is_public);
        let docs = Docs::of(&item.attrs);
        self.item(ItemKind::Function, &item.sig.ident, is_public, docs);
        self.depth += 1;
        visit::visit_trait_item_fn(self, item);
        self.depth -= 1;
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        let owner = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        let is_inherent = item.trait_.is_none();
        let owner = owner.unwrap_or_default();
        self.within(owner, is_inherent, |reader| visit::visit_item_impl(reader, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        let docs = Docs::of(&item.attrs);
        self.item(ItemKind::Function, &item.sig.ident, is_pub(&item.vis), docs);
        self.depth += 1;
        visit::visit_impl_item_fn(self, item);
        self.depth -= 1;
    }

    fn visit_impl_item_const(&mut self, item: &'a syn::ImplItemConst) {
        self.item(ItemKind::Value, &item.ident, is_pub(&item.vis), Docs::of(&item.attrs));
    }

    fn visit_item_const(&mut self, item: &'a syn::ItemConst) {
        self.item(ItemKind::Value, &item.ident, is_pub(&item.vis), Docs::of(&item.attrs));
    }

    fn visit_item_static(&mut self, item: &'a syn::ItemStatic) {
        self.item(ItemKind::Value, &item.ident, is_pub(&item.vis), Docs::of(&item.attrs));
    }

    fn visit_item_macro(&mut self, item: &'a syn::ItemMacro) {
        let name = item.mac.path.segments.last().map(|last| last.ident.to_string());
        let name = name.unwrap_or_default();
        if name == "macro_rules" || self.depth > 0 {
            return;
        }
        for found in named(&name, item.mac.tokens.clone()) {
            let docs = Docs::of(&found.attributes);
            self.item(found.kind, &found.ident, found.is_public, docs);
        }
    }

    fn visit_item_type(&mut self, item: &'a syn::ItemType) {
        self.item(ItemKind::Value, &item.ident, is_pub(&item.vis), Docs::of(&item.attrs));
    }
}
