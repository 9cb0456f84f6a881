//! A service with the management API, over HTTP.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH};
use ureq::http::uri::{Authority, Uri};
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

use super::call::{Answer, Call, Router};
use super::tls;
use crate::args::Context;
use crate::failure::{Failure, whole_chain};
use crate::secret_input::read_login;

/// A sweep of all tenants takes as long as all sweeps together.
const LONGEST_ANSWER: Duration = Duration::from_secs(600);
const LONGEST_CONNECT: Duration = Duration::from_secs(10);
const MAX_ANSWER: u64 = 1 << 30;

pub(crate) struct Service {
    agent: Agent,
    tenant_url: String,
    operator_url: Option<String>,
    login: (HeaderName, HeaderValue),
}

impl Service {
    /// Prepares the calls. It does not connect yet.
    pub(super) fn new(context: &Context, url: &str) -> Result<Self, Failure> {
        context.refuse_local_options()?;
        let operator = context.operator_store.clone();
        let operator = operator.or_else(|| std::env::var("KEYWRIGHT_OPERATOR_STORE").ok());
        let base = |url: &str| checked(url, context.danger_plain_http);
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            // A redirect would send the login to another address.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(LONGEST_CONNECT))
            .timeout_recv_response(Some(LONGEST_ANSWER))
            .user_agent(concat!("keywright/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &context.ca_file {
            config = config.tls_config(tls::trusting(path)?);
        }
        let tenant_url = base(url)?;
        let operator_url = operator.as_deref().map(base).transpose()?;
        if [Some(&tenant_url), operator_url.as_ref()].into_iter().flatten().any(|url| is_plain(url))
        {
            // A proxy of the environment would get the login unencrypted.
            config = config.proxy(None);
        }
        Ok(Self { agent: config.build().into(), tenant_url, operator_url, login: login(context)? })
    }

    pub(super) fn call(&self, call: &Call) -> Result<Answer, Failure> {
        let url = match call.router {
            Router::Tenant => &self.tenant_url,
            Router::Operator => self.operator_url()?,
        };
        let url = format!("{url}/{}", call.path);
        let (name, value) = &self.login;
        let mut request = Request::builder().method(call.method).uri(&url).header(name, value);
        if let Some(tag) = &call.if_match {
            request = request.header(IF_MATCH, tag);
        }
        let malformed = |error: ureq::http::Error| Failure::usage(error.to_string());
        let result = if let Some(body) = &call.body {
            let request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
            self.agent.run(request.map_err(malformed)?)
        } else {
            self.agent.run(request.body(()).map_err(malformed)?)
        };
        match result {
            Ok(response) => answer(response, &url, call.only_reads()),
            Err(error) => Err(unreached(&error, &url, call.only_reads())),
        }
    }

    /// Returns the URL of the operator's routes.
    ///
    /// # Errors
    /// A failure if none is given. Both routers have routes of the same name, so the one of a tenant
    /// is never asked instead.
    fn operator_url(&self) -> Result<&str, Failure> {
        self.operator_url.as_deref().ok_or_else(|| {
            Failure::usage(
                "a command for all tenants needs the address of the service's operator routes: \
                 give --operator-store URL or set KEYWRIGHT_OPERATOR_STORE",
            )
        })
    }
}

/// Checks the URL of a router, and returns it with a scheme in lower case and without a slash at its
/// end.
fn checked(url: &str, is_plain_allowed: bool) -> Result<String, Failure> {
    let uri: Uri =
        url.parse().map_err(|_| Failure::usage("the URL of the service is malformed"))?;
    let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
    if authority.contains('@') {
        return Err(Failure::usage(
            "every user of this machine can read arguments: leave the user and the password out of the \
             URL, and give the login with --login-file, KEYWRIGHT_LOGIN or on the terminal",
        ));
    }
    if uri.query().is_some() {
        return Err(Failure::usage("the URL of the service must have no query"));
    }
    let (scheme, host) = (uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default());
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let is_here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    match scheme {
        "https" => {}
        "http" if is_here || is_plain_allowed => {}
        "http" => {
            return Err(Failure::usage(format!(
                "the login would travel unencrypted to {host}; use https, or --danger-plain-http"
            )));
        }
        // The rest of the URL may be a password.
        _ => {
            return Err(Failure::usage(
                "the URL of a service must have the form https://HOST/PATH",
            ));
        }
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    Ok(format!("{scheme}://{}", rest.trim_end_matches('/')))
}

fn is_plain(url: &str) -> bool {
    url.starts_with("http://")
}

fn login(context: &Context) -> Result<(HeaderName, HeaderValue), Failure> {
    let secret = read_login(context.login_file.as_deref())?;
    let (name, text) = match &context.login_header {
        Some(name) => {
            let name = name.parse();
            let name = name.map_err(|_| Failure::usage("--login-header must be a header name"))?;
            (name, secret)
        }
        None => (AUTHORIZATION, format!("Bearer {}", secret.as_str()).into()),
    };
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| Failure::usage("the login has characters that no header can carry"))?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn answer(mut response: Response<Body>, url: &str, only_reads: bool) -> Result<Answer, Failure> {
    let status = response.status().as_u16();
    let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or("no content type").to_owned();
    let is_json =
        kind.starts_with("application/json") || kind.starts_with("application/problem+json");
    if status == 204 {
        return Ok(Answer { status, json: Value::Null, tag, cause: None });
    }
    let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_string();
    let body = body.map_err(|error| unreached(&error, url, only_reads))?;
    let json: Option<Value> = serde_json::from_str(&body).ok().filter(|_| is_json);
    let is_answer = |json: &Value| (200..300).contains(&status) || json["code"].is_string();
    match json.filter(is_answer) {
        Some(json) => Ok(Answer { status, json, tag, cause: None }),
        None if status == 401 || status == 403 => Err(Failure::refused(
            "login_required",
            format!("{} does not accept the login (status {status})", origin(url)),
        )),
        None => Err(Failure::unavailable(format!(
            "{} is not the management API: it answered status {status} with {kind}",
            origin(url)
        ))),
    }
}

/// Creates the failure of a call without a whole answer.
fn unreached(error: &ureq::Error, url: &str, only_reads: bool) -> Failure {
    use ureq::{Error as E, Timeout};
    let tls = tls::failure(error);
    // Nothing is sent before the certificate is accepted.
    let is_untrusted = matches!(tls, Some(rustls::Error::InvalidCertificate(_)));
    let is_unsent = matches!(
        error,
        E::HostNotFound
            | E::ConnectionFailed
            | E::Tls(_)
            | E::Rustls(_)
            | E::Timeout(Timeout::Connect | Timeout::Resolve)
    ) || is_untrusted
        || refused_connection(error);
    let fate = if only_reads || is_unsent {
        ""
    } else {
        "; the change may have been made, so read the record before you repeat it"
    };
    let cause = tls.map_or_else(|| whole_chain(error), tls::explained);
    Failure::unavailable(format!("cannot reach {}: {cause}{fate}", origin(url)))
}

fn refused_connection(error: &ureq::Error) -> bool {
    let source = match error {
        ureq::Error::Io(error) => Some(error),
        error => error.source().and_then(|source| source.downcast_ref()),
    };
    source
        .is_some_and(|error: &std::io::Error| error.kind() == std::io::ErrorKind::ConnectionRefused)
}

/// Returns the scheme and the host of a URL.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |place| place + 3);
    url[host..].find('/').map_or(url, |end| &url[..host + end])
}
