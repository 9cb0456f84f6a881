//! A request of an actor: what it asks for, and the answers to it.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::failure::Failure;
use super::form::{Fault, Faults, Form};
use super::frame::{Document, Frame, protected};
use super::options::SharedPage;
use super::refusal::Refusal;
use super::selection::Screens;
use super::texts::{Message, Text};
use super::view::navigation;
use super::view::obstacles;
use crate::authority::Authority;
use crate::http::cross_site::{WithoutHeaders, check, is_from_own_page};
use crate::record::actor::Actor;
use crate::record::key::Owner;
use crate::record::operation::Operation;
use crate::value::id::{AccountId, KeyId};

/// The largest form, in bytes: a bulk of 100 keys or a form with all scopes is far below it.
const MAX_FORM: usize = 64 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";

/// The texts that a screen shows after a change, by the parameter `done` of its address.
const DONE: &[Text] = &[
    Text::SAVED,
    Text::HANDED_OVER,
    Text::DISABLED,
    Text::ENABLED,
    Text::FINISHED,
    Text::REVOKED,
    Text::DELETED,
    Text::ACCOUNT_MADE,
    Text::ACCOUNT_DELETED,
    Text::ACCOUNT_KEYS_REVOKED,
    Text::ACCOUNT_KEYS_HANDED_OVER,
    Text::USER_SUSPENDED,
    Text::USER_RESTORED,
    Text::OWNED_REVOKED,
    Text::OWNED_HANDED_OVER,
    Text::SWITCHED_ON,
    Text::SWITCHED_OFF,
];

/// A request of an actor.
#[derive(Debug)]
pub(super) struct Visit {
    frame: Frame,
    pub(super) actor: Actor,
    /// The fields of the form that was sent; none for a `GET`.
    pub(super) form: Form,
    pub(super) query: Form,
    /// The id in the path; empty without one.
    id: String,
}

impl Deref for Visit {
    type Target = Frame;

    fn deref(&self) -> &Frame {
        &self.frame
    }
}

impl FromRequest<SharedPage> for Visit {
    type Rejection = Response;

    async fn from_request(request: Request, page: &SharedPage) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let params = RawPathParams::from_request_parts(&mut parts, page).await;
        // The host can mount the page under a parameter of its own, which comes first.
        let id =
            params.ok().and_then(|params| params.iter().last().map(|(_, value)| value.to_owned()));
        let actor = parts.extensions.get::<Actor>().cloned();
        let frame = Frame::new(Arc::clone(page), parts);
        let Some(actor) = actor else { return Err(login(&frame)) };
        let query = Form::parse(frame.request.uri.query().unwrap_or_default().as_bytes());
        let mut form = Form::default();
        if frame.request.method == Method::POST {
            if let Some(refused) = refused_form(&frame) {
                return Err(refused);
            }
            let bytes = to_bytes(body, MAX_FORM).await.map_err(|_| {
                refuse(
                    &frame,
                    StatusCode::PAYLOAD_TOO_LARGE,
                    (Text::NOT_DONE, Text::FORM_TOO_LARGE),
                    "the form is too large",
                )
            })?;
            form = Form::parse(&bytes);
        }
        Ok(Self { frame, actor, form, query, id: id.unwrap_or_default() })
    }
}

/// Answers a request without an actor.
fn login(frame: &Frame) -> Response {
    match &frame.page.links.login {
        Some(login) if frame.request.method == Method::GET => {
            go_to(&login.returning_to(frame.urls.here()))
        }
        _ => {
            let (status, text) = (StatusCode::UNAUTHORIZED, Text::LOGIN_REQUIRED);
            refuse(frame, status, (Text::LOGIN, text), "no actor")
        }
    }
}

/// Answers with a page of one sentence, and leaves the reason to the host's log.
fn refuse(
    frame: &Frame,
    status: StatusCode,
    (title, text): (Text, Text),
    reason: &'static str,
) -> Response {
    let content = html! {
        p { (frame.say(text)) }
        @if frame.request.method != Method::GET {
            p { a href=(frame.urls.to("/")) { (frame.say(Text::BACK_TO_KEYS)) } }
        }
    };
    let mut response = frame.notice(status, title, &content);
    response.extensions_mut().insert(Refusal::new(reason));
    response
}

/// Refuses a request that is not a form of the page's own.
fn refused_form(frame: &Frame) -> Option<Response> {
    let Parts { method, uri, headers, .. } = &frame.request;
    let trusted = &frame.page.trusted_origins;
    if let Err(refused) = check(method, uri, headers, trusted, WithoutHeaders::Refused) {
        let (status, text) = (StatusCode::FORBIDDEN, (Text::NOT_DONE, Text::CROSS_SITE));
        return Some(refuse(frame, status, text, refused.reason()));
    }
    let kind = frame.request.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if kind.is_some_and(|kind| kind.eq_ignore_ascii_case(FORM)) {
        return None;
    }
    let (status, text) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, (Text::NOT_DONE, Text::NOT_A_FORM));
    Some(refuse(frame, status, text, "the content type is not that of a form"))
}

/// Redirects to a path.
pub(super) fn go_to(path: &str) -> Response {
    match HeaderValue::try_from(path) {
        Ok(path) => protected((StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response()),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The answer of a screen.
pub(super) type Answer = Result<Response, Failure>;

impl Visit {
    pub(super) fn authority(&self) -> &Authority {
        &self.frame.page.authority
    }

    /// Returns true for a request that sends a form.
    pub(super) fn is_post(&self) -> bool {
        self.request.method == Method::POST
    }

    /// Returns the key that the path names.
    pub(super) fn key_id(&self) -> Result<KeyId, Failure> {
        self.id.parse().map_err(|_| Failure::NotFound)
    }

    /// Returns the service account that the path names.
    pub(super) fn account_id(&self) -> Result<AccountId, Failure> {
        self.id.parse().map_err(|_| Failure::NotFound)
    }

    /// Returns true if the host selects a screen and the actor may see it.
    pub(super) fn can_see(&self, screen: Screens) -> bool {
        self.must_see(screen).is_ok()
    }

    /// Returns the path of the list that shows the keys of an owner.
    pub(super) fn list_of(&self, owner: &Owner) -> String {
        match owner {
            owner if self.actor.owns(owner) => self.urls.to("/"),
            Owner::Account(account) if self.can_see(Screens::ACCOUNTS) => {
                self.urls.account(account)
            }
            Owner::Organization if self.can_see(Screens::ORGANIZATION_KEYS) => {
                self.urls.to("/organization")
            }
            _ if self.can_see(Screens::ALL_KEYS) => self.urls.of_owner("/all", owner),
            _ => self.urls.to("/"),
        }
    }

    /// Checks that the host selects a screen and that the actor may see it.
    pub(super) fn must_see(&self, screen: Screens) -> Result<(), Failure> {
        match (self.has(screen), navigation::may_see(&self.actor, screen)) {
            (false, _) => Err(Failure::NotFound),
            (true, false) => Err(Failure::Forbidden),
            (true, true) => Ok(()),
        }
    }

    /// Shows a screen.
    pub(super) fn show(&self, title: impl Into<Message>, content: Markup) -> Response {
        self.show_with(StatusCode::OK, self.say(title), content)
    }

    /// Shows a screen with a status. The title is text.
    pub(super) fn show_with(&self, status: StatusCode, title: String, content: Markup) -> Response {
        let navigation = html! {
            (navigation::links(self, &self.actor))
            @if let Some(done) = self.done() {
                p class="kw-done" role="status" { (self.say(done)) }
            }
        };
        self.answer(&Document { status, title, navigation, content })
    }

    /// Returns the text of what was just done. A link on another site cannot claim it: the browser must
    /// say that a screen of the page led here, which it also says after the redirect from a form.
    fn done(&self) -> Option<Text> {
        let done = DONE.iter().find(|text| self.query.has("done", text.name()));
        let Parts { uri, headers, .. } = &self.request;
        done.copied().filter(|_| is_from_own_page(uri, headers, &self.page.trusted_origins))
    }

    /// Asks the host for a fresh login before a form is shown.
    ///
    /// # Errors
    /// [`Failure::GoTo`] with the link at which the user confirms the login.
    pub(super) fn step_up(&self, operation: Operation) -> Result<(), Failure> {
        match self.login_to_confirm(operation, self.urls.here()) {
            Some(link) => Err(Failure::GoTo(link)),
            None => Ok(()),
        }
    }

    /// Asks the host for a fresh login before a form is obeyed: a fault, if the login is too old. The
    /// answer to a form is never a redirect to another origin, which browsers refuse under
    /// `form-action 'self'`.
    pub(super) fn step_up_again(&self, operation: Operation) -> Faults {
        self.step_up_for(operation, self.urls.here())
    }

    /// Asks for a fresh login like [`Self::step_up_again`]. The user comes back to a form at `address`.
    pub(super) fn step_up_for(&self, operation: Operation, address: &str) -> Faults {
        let confirm = |link| Fault { link: Some(link), ..Fault::new("", Text::CONFIRM_LOGIN) };
        let link = self.login_to_confirm(operation, address);
        link.map(confirm).map(Faults::from).unwrap_or_default()
    }

    fn login_to_confirm(&self, operation: Operation, address: &str) -> Option<String> {
        let link = (self.page.step_up)(&self.request, operation)?;
        Some(link.returning_to(address))
    }

    /// Turns the answer of a screen into a response.
    pub(super) fn finish(&self, answer: Answer) -> Response {
        answer.unwrap_or_else(|failure| self.fail(failure))
    }

    fn fail(&self, failure: Failure) -> Response {
        let p = |text: Text| html! { p { (self.say(text)) } };
        let tell = |status, title, content| {
            let content = html! { h1 { (self.say(title)) } (content) (self.way_back()) };
            self.show_with(status, self.say(title), content)
        };
        match failure {
            Failure::NotFound => {
                tell(StatusCode::NOT_FOUND, Text::NOT_FOUND, p(Text::NOT_FOUND_TEXT))
            }
            Failure::Forbidden => {
                let content = html! { (p(Text::FORBIDDEN_TEXT)) (obstacles::administrators(self)) };
                tell(StatusCode::FORBIDDEN, Text::FORBIDDEN, content)
            }
            Failure::NotAdministrator(text) => {
                let content = html! { (p(text)) (obstacles::administrators(self)) };
                tell(StatusCode::FORBIDDEN, Text::FORBIDDEN, content)
            }
            Failure::Refused(fault) => {
                let content = html! { p { (self.say(*fault.message)) } };
                tell(StatusCode::CONFLICT, Text::NOT_DONE, content)
            }
            Failure::Stale => {
                tell(StatusCode::PRECONDITION_FAILED, Text::STALE, p(Text::STALE_TEXT))
            }
            Failure::Obstacles(found) => {
                let content = obstacles::panel(self, &found);
                tell(StatusCode::CONFLICT, Text::NOT_DONE, content)
            }
            Failure::TicketUsed(key) => {
                let content = html! {
                    (p(Text::SENT_ALREADY_TEXT))
                    p { a href=(self.urls.key(&key)) { (self.say(Text::OPEN_THE_KEY)) } }
                };
                tell(StatusCode::CONFLICT, Text::SENT_ALREADY, content)
            }
            // The first answer was the screen of the account, and it shows no secret.
            Failure::AccountMade(account) => go_to(&self.urls.account(&account)),
            Failure::RotatedSince(key) => {
                let content = html! {
                    (p(Text::ROTATED_SINCE_TEXT))
                    p { a href=(self.urls.key(&key)) { (self.say(Text::OPEN_THE_KEY)) } }
                    p { a href=(self.urls.of_key(&key, "rotate")) { (self.say(Text::ROTATE_AGAIN)) } }
                };
                tell(StatusCode::PRECONDITION_FAILED, Text::STALE, content)
            }
            Failure::LostAnswer(cause, name, owner) => {
                let query = Form::default().with("q", &name).with("status", "all").to_query();
                let list = self.list_of(&owner);
                let sign = if list.contains('?') { '&' } else { '?' };
                let content = html! {
                    (p(Text::LOST_ANSWER_TEXT))
                    p { a href={ (list) (sign) (query) } { (self.say(Text::LOOK_FOR_THE_KEY.with("name", name))) } }
                };
                let response = tell(StatusCode::SERVICE_UNAVAILABLE, Text::UNAVAILABLE, content);
                retried(response, Refusal::caused("the store failed while it stored a key", cause))
            }
            Failure::Busy(cause) => {
                let response =
                    tell(StatusCode::SERVICE_UNAVAILABLE, Text::BUSY, p(Text::BUSY_TEXT));
                retried(response, Refusal::caused("nothing was changed", cause))
            }
            Failure::Unavailable(cause) => {
                let text = if self.is_post() { Text::FATE_UNKNOWN } else { Text::UNAVAILABLE_TEXT };
                let content = html! {
                    (p(text))
                    @if !self.is_post() {
                        p { a href=(self.urls.here()) { (self.say(Text::TRY_AGAIN)) } }
                    }
                };
                let response = tell(StatusCode::SERVICE_UNAVAILABLE, Text::UNAVAILABLE, content);
                retried(response, Refusal::caused("the store failed", cause))
            }
            Failure::GoTo(link) => go_to(&link),
        }
    }

    /// Returns the link to the keys, unless the user is there.
    fn way_back(&self) -> Markup {
        if self.request.uri.path() == "/" {
            return html! {};
        }
        html! { p { a href=(self.urls.to("/")) { (self.say(Text::BACK_TO_KEYS)) } } }
    }
}

/// Adds the reason of a failure that can pass, for the host's log, and the time after which to try
/// again.
pub(super) fn retried(mut response: Response, refusal: Refusal) -> Response {
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
    response.extensions_mut().insert(refusal);
    response
}

/// A request for a path that has no screen. It needs no actor.
pub(super) struct Lost(Frame);

impl FromRequestParts<SharedPage> for Lost {
    type Rejection = Response;

    fn from_request_parts(
        parts: &mut Parts,
        page: &SharedPage,
    ) -> impl Future<Output = Result<Self, Response>> + Send {
        let found: Ready<_> = ready(Ok(Self(Frame::new(Arc::clone(page), parts.clone()))));
        found
    }
}

impl Lost {
    /// Answers 404, or 405 for a method that a screen does not take.
    pub(super) fn answer(&self, status: StatusCode) -> Response {
        let frame = &self.0;
        let content = html! {
            p { (frame.say(Text::NOT_FOUND_TEXT)) }
            p { a href=(frame.urls.to("/")) { (frame.say(Text::BACK_TO_KEYS)) } }
        };
        frame.notice(status, Text::NOT_FOUND, &content)
    }
}
