//! Links of the host: to its login, its documentation and its upgrade.

use std::fmt;
use std::str::FromStr;

/// A link of the host: an absolute path such as `/billing`, or an `https` URL.
///
/// ```
/// use keywright::http::page::Href;
///
/// assert!(Href::new("/billing").is_ok());
/// assert!(Href::new("https://docs.example/api").is_ok());
/// assert!(Href::new("javascript:alert(1)").is_err());
/// assert!(Href::new("//other.example").is_err());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Href(String);

/// A text that is not a link that the page can show.
///
/// ```
/// use keywright::http::page::Href;
///
/// let error = Href::new("billing").unwrap_err();
/// assert!(error.to_string().contains("\"billing\""));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a link must begin with a single / or with https://, and have no spaces, got {0:?}")]
pub struct HrefError(String);

impl Href {
    /// Creates a link.
    ///
    /// ```
    /// use keywright::http::page::Href;
    ///
    /// let upgrade = Href::new("/billing")?;
    /// assert_eq!(upgrade.as_str(), "/billing");
    /// # Ok::<(), keywright::http::page::HrefError>(())
    /// ```
    ///
    /// # Errors
    /// [`HrefError`] if the text does not begin with a single `/` or with `https://`, or if it has
    /// white space, a control character or a backslash.
    pub fn new(link: impl Into<String>) -> Result<Self, HrefError> {
        let link = link.into();
        let is_path = link.starts_with('/') && !link.starts_with("//");
        let has_host = link.strip_prefix("https://").is_some_and(|rest| !rest.is_empty());
        let is_clean = !link.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\');
        if (is_path || has_host) && is_clean { Ok(Self(link)) } else { Err(HrefError(link)) }
    }

    /// Returns the link as text.
    ///
    /// ```
    /// # use keywright::http::page::Href;
    /// assert_eq!(Href::new("/login")?.as_str(), "/login");
    /// # Ok::<(), keywright::http::page::HrefError>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the link with the path to which the host returns afterwards, as the parameter
    /// `return_to`.
    pub(super) fn returning_to(&self, path: &str) -> String {
        let (link, fragment) = match self.0.split_once('#') {
            Some((link, fragment)) => (link, format!("#{fragment}")),
            None => (&*self.0, String::new()),
        };
        let sign = if link.contains('?') { '&' } else { '?' };
        let path: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
        format!("{link}{sign}return_to={path}{fragment}")
    }
}

impl fmt::Display for Href {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Href {
    type Err = HrefError;

    fn from_str(link: &str) -> Result<Self, HrefError> {
        Self::new(link)
    }
}

/// The links of the host that the page shows.
///
/// ```
/// use keywright::http::page::Links;
///
/// let links = Links::new().documentation("/docs/api".parse()?).upgrade("/billing".parse()?);
/// # let _ = links;
/// # Ok::<(), keywright::http::page::HrefError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "setters take and return by value"]
pub struct Links {
    pub(super) documentation: Option<Href>,
    pub(super) upgrade: Option<Href>,
    pub(super) login: Option<Href>,
    pub(super) support: Option<Href>,
}

impl Links {
    /// Creates an empty set of links.
    ///
    /// ```
    /// # use keywright::http::page::Links;
    /// let links = Links::new();
    /// # let _ = links;
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the link to the documentation of the host's API.
    ///
    /// ```
    /// # use keywright::http::page::Links;
    /// let links = Links::new().documentation("/docs/api".parse()?);
    /// # let _ = links;
    /// # Ok::<(), keywright::http::page::HrefError>(())
    /// ```
    pub fn documentation(self, link: Href) -> Self {
        Self { documentation: Some(link), ..self }
    }

    /// Sets the link to which "Upgrade required" leads.
    ///
    /// ```
    /// # use keywright::http::page::Links;
    /// let links = Links::new().upgrade("/billing".parse()?);
    /// # let _ = links;
    /// # Ok::<(), keywright::http::page::HrefError>(())
    /// ```
    pub fn upgrade(self, link: Href) -> Self {
        Self { upgrade: Some(link), ..self }
    }

    /// Sets the login of the host.
    ///
    /// A `GET` without an actor is redirected there, with the page's own
    /// path in the parameter `return_to`.
    ///
    /// ```
    /// # use keywright::http::page::Links;
    /// let links = Links::new().login("/login".parse()?);
    /// # let _ = links;
    /// # Ok::<(), keywright::http::page::HrefError>(())
    /// ```
    pub fn login(self, link: Href) -> Self {
        Self { login: Some(link), ..self }
    }

    /// Sets the link to the host's support, which the pages of errors show.
    ///
    /// ```
    /// # use keywright::http::page::Links;
    /// let links = Links::new().support("/help".parse()?);
    /// # let _ = links;
    /// # Ok::<(), keywright::http::page::HrefError>(())
    /// ```
    pub fn support(self, link: Href) -> Self {
        Self { support: Some(link), ..self }
    }
}
