//! The page as the host configures it.

use std::fmt;
use std::sync::Arc;

use axum::http::request::Parts;

use super::href::{Href, Links};
use super::layout::{Layout, PlainLayout};
use super::origin::Origin;
use super::selection::{ExpiryForm, KeyFields, Screens};
use super::texts::Texts;
use crate::authority::Authority;
use crate::record::operation::Operation;
use crate::value::id::UserId;

type TextsOf = dyn Fn(&Parts) -> Texts + Send + Sync;
type StepUp = dyn Fn(&Parts, Operation) -> Option<Href> + Send + Sync;
type UserNames = dyn Fn(&Parts, &UserId) -> Option<String> + Send + Sync;

/// The page on which users manage their keys, as the host configures it.
///
/// [`router`](super::router) turns it into an axum router.
///
/// ```
/// use keywright::http::page::{Page, Screens, Text, Texts};
/// # use keywright::Keywright;
/// # use keywright::store::MemoryStore;
/// # let authority = Keywright::builder(MemoryStore::new()).build()?.authority();
///
/// let page = Page::new(authority)
///     .product("Workbase")
///     .screens(Screens::OWN_KEYS | Screens::ACCOUNTS)
///     .texts(|_request| Texts::english().with(Text::OWN_KEYS, "API keys"));
/// let router: axum::Router = keywright::http::page::router(page);
/// # let _ = router;
/// # Ok::<(), keywright::Error>(())
/// ```
#[must_use = "a page does nothing until it is passed to `router`"]
pub struct Page {
    pub(super) authority: Authority,
    /// The name of the product; `None` if the host gives none.
    pub(super) product: Option<String>,
    pub(super) screens: Screens,
    pub(super) fields: KeyFields,
    pub(super) custom_fields: Vec<CustomField>,
    pub(super) expiry: ExpiryForm,
    pub(super) shows_id_and_secret: bool,
    pub(super) variable: Option<String>,
    pub(super) name_examples: Vec<String>,
    pub(super) administrators: Option<String>,
    pub(super) links: Links,
    pub(super) trusted_origins: Vec<Origin>,
    pub(super) texts: Box<TextsOf>,
    pub(super) step_up: Box<StepUp>,
    pub(super) user_names: Option<Box<UserNames>>,
    pub(super) layout: Box<dyn Layout>,
    /// True with [`PlainLayout`], whose documents the page answers for.
    pub(super) is_plain: bool,
}

/// A field of the host in the forms of a key, which is stored in the metadata of the key.
///
/// ```
/// use keywright::http::page::CustomField;
///
/// let approved_by = CustomField::new("approved_by", "Approved by").hint("The name of a manager.");
/// # let _ = approved_by;
/// ```
#[derive(Clone, Debug)]
#[must_use = "setters take and return by value"]
pub struct CustomField {
    pub(super) key: String,
    pub(super) label: String,
    pub(super) hint: Option<String>,
    pub(super) is_required: bool,
}

impl CustomField {
    /// Creates a field with the key of its metadata and its label.
    ///
    /// ```
    /// # use keywright::http::page::CustomField;
    /// let field = CustomField::new("cost_center", "Cost center");
    /// # let _ = field;
    /// ```
    pub fn new(key: impl Into<String>, label: impl Into<String>) -> Self {
        Self { key: key.into(), label: label.into(), hint: None, is_required: false }
    }

    /// Adds a hint below the label.
    ///
    /// ```
    /// # use keywright::http::page::CustomField;
    /// let field = CustomField::new("cost_center", "Cost center").hint("Four digits.");
    /// # let _ = field;
    /// ```
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Makes the field required in the page's forms.
    ///
    /// ```
    /// # use keywright::http::page::CustomField;
    /// let field = CustomField::new("cost_center", "Cost center").required();
    /// # let _ = field;
    /// ```
    pub fn required(self) -> Self {
        Self { is_required: true, ..self }
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("product", &self.product)
            .field("screens", &self.screens)
            .finish_non_exhaustive()
    }
}

/// The body of each setter's example: a page over a memory store.
macro_rules! setter {
    ($(#[$doc:meta])* $call:literal, $name:ident($self:ident $(, $arg:ident: $type:ty)*) $body:block) => {
        $(#[$doc])*
        #[doc = ""]
        #[doc = "```"]
        #[doc = "use keywright::http::page::*;"]
        #[doc = "# use keywright::{Keywright, store::MemoryStore};"]
        #[doc = "# let authority = Keywright::builder(MemoryStore::new()).build()?.authority();"]
        #[doc = concat!("let page = Page::new(authority)", $call, ";")]
        #[doc = "# let _ = page;"]
        #[doc = "# Ok::<(), Box<dyn std::error::Error>>(())"]
        #[doc = "```"]
        pub fn $name($self $(, $arg: $type)*) -> Self $body
    };
}

impl Page {
    /// Creates a page with all screens, in English, in a plain layout.
    ///
    /// ```
    /// use keywright::http::page::Page;
    /// # use keywright::{Keywright, store::MemoryStore};
    /// # let authority = Keywright::builder(MemoryStore::new()).build()?.authority();
    /// let page = Page::new(authority);
    /// # let _ = page;
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn new(authority: Authority) -> Self {
        Self {
            authority,
            product: None,
            screens: Screens::ALL,
            fields: KeyFields::SCOPES | KeyFields::DESCRIPTION,
            custom_fields: Vec::new(),
            expiry: ExpiryForm::default(),
            shows_id_and_secret: false,
            variable: None,
            name_examples: Vec::new(),
            administrators: None,
            links: Links::new(),
            trusted_origins: Vec::new(),
            texts: Box::new(|_| Texts::english()),
            step_up: Box::new(|_, _| None),
            user_names: None,
            layout: Box::new(PlainLayout),
            is_plain: true,
        }
    }

    setter! {
        /// Sets the name of the host's product, for the titles of documents and the placeholder
        /// `{product}` of texts.
        ///
        /// Without it, titles have no name of a product, and texts say "the API".
        ".product(\"Workbase\")",
        product(self, name: impl Into<String>) {
            Self { product: Some(name.into()), ..self }
        }
    }

    setter! {
        /// Selects the screens. An actor sees those of them for which it has the permission.
        ".screens(Screens::OWN_KEYS | Screens::EVENTS)",
        screens(self, screens: Screens) {
            Self { screens, ..self }
        }
    }

    setter! {
        /// Selects the fields of a key that the forms offer. The default is scopes and description.
        ".fields(KeyFields::SCOPES | KeyFields::NETWORKS)",
        fields(self, fields: KeyFields) {
            Self { fields, ..self }
        }
    }

    setter! {
        /// Adds a field of the host's own to the forms of a key.
        ".custom_field(CustomField::new(\"cost_center\", \"Cost center\"))",
        custom_field(self, field: CustomField) {
            let mut custom_fields = self.custom_fields;
            custom_fields.push(field);
            Self { custom_fields, ..self }
        }
    }

    setter! {
        /// Sets the way in which the form of a new key asks for its expiry.
        ".expiry(ExpiryForm::Date)",
        expiry(self, form: ExpiryForm) {
            Self { expiry: form, ..self }
        }
    }

    setter! {
        /// Shows a new token also as its two parts: the key id and the key secret.
        ".show_id_and_secret()",
        show_id_and_secret(self) {
            Self { shows_id_and_secret: true, ..self }
        }
    }

    setter! {
        /// Shows a new token also as a line for an environment file, with this name.
        ".environment_variable(\"ACME_API_KEY\")",
        environment_variable(self, name: impl Into<String>) {
            Self { variable: Some(name.into()), ..self }
        }
    }

    setter! {
        /// Sets examples of good names, which the form of a new key shows.
        ".name_examples([\"prod-main-app\", \"staging-api\"])",
        name_examples(self, names: impl IntoIterator<Item = impl Into<String>>) {
            Self { name_examples: names.into_iter().map(Into::into).collect(), ..self }
        }
    }

    setter! {
        /// Sets the names of the people to ask where an actor may not do something.
        ".administrators(\"Ada Lovelace, ada@example.com\")",
        administrators(self, people: impl Into<String>) {
            Self { administrators: Some(people.into()), ..self }
        }
    }

    setter! {
        /// Sets the links of the host.
        ".links(Links::new())",
        links(self, links: Links) {
            Self { links, ..self }
        }
    }

    setter! {
        /// Accepts forms from another origin of the host, before all other checks.
        ///
        /// A host needs this only behind a proxy that rewrites `Host`, for browsers that send no
        /// `Sec-Fetch-Site`.
        ".trusted_origin(\"https://app.example.com\".parse()?)",
        trusted_origin(self, origin: Origin) {
            let mut trusted_origins = self.trusted_origins;
            trusted_origins.push(origin);
            Self { trusted_origins, ..self }
        }
    }

    setter! {
        /// Sets the texts of a request, for example by the language of its user.
        ".texts(|_request| Texts::german())",
        texts(self, texts: impl Fn(&Parts) -> Texts + Send + Sync + 'static) {
            Self { texts: Box::new(texts), ..self }
        }
    }

    setter! {
        /// Asks for a fresh login before an operation: `Some` with the link at which the user
        /// confirms the login, `None` if the login is fresh enough.
        ///
        /// The page asks before it shows a form, and again before it does the operation. It adds its
        /// own path to the link, as the parameter `return_to`.
        ".step_up(|_request, _operation| Href::new(\"/confirm\").ok())",
        step_up(self, ask: impl Fn(&Parts, Operation) -> Option<Href> + Send + Sync + 'static) {
            Self { step_up: Box::new(ask), ..self }
        }
    }

    setter! {
        /// Sets the names of users that have no display name in the store.
        ///
        /// The page shows the id of a user for which the function returns `None`, and asks to check the
        /// id before keys are handed over to it.
        ".user_names(|_request, user| (user.as_str() == \"u-17\").then(|| \"Alice\".to_owned()))",
        user_names(self, name: impl Fn(&Parts, &UserId) -> Option<String> + Send + Sync + 'static) {
            Self { user_names: Some(Box::new(name)), ..self }
        }
    }

    /// Puts each screen into the host's own layout.
    ///
    /// ```
    /// use axum::http::request::Parts;
    /// use keywright::http::page::{Layout, Page, Screen};
    /// # use keywright::{Keywright, store::MemoryStore};
    /// # let authority = Keywright::builder(MemoryStore::new()).build()?.authority();
    ///
    /// struct Bare;
    ///
    /// impl Layout for Bare {
    ///     fn wrap(&self, _: &Parts, screen: &Screen<'_>) -> String {
    ///         format!("<!DOCTYPE html><title>Keys</title>{}{}", screen.head(), screen.body())
    ///     }
    /// }
    ///
    /// let page = Page::new(authority).layout(Bare);
    /// # let _ = page;
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn layout(self, layout: impl Layout) -> Self {
        Self { layout: Box::new(layout), is_plain: false, ..self }
    }
}

/// The page in the state of its router.
pub(super) type SharedPage = Arc<Page>;
