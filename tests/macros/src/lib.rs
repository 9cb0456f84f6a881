//! The attribute `common::test`, for tests that need certain programs or run on several stores.

use proc_macro::{TokenStream, TokenTree};

/// Registers a test in a binary whose main function calls [`common::suite::run`].
///
/// * `#[common::test]` runs a function. An async function runs on tokio.
/// * `#[common::test(postgres)]` or `(chromium, axe)` names the programs that the test needs. If one is
///   missing, the test is ignored.
/// * `#[common::test(each_store)]` runs a function once for each kind of store. An async function takes a
///   world on a new store; any other function takes the kind. `(file_store)` runs it only on a store file.
#[allow(clippy::missing_panics_doc, reason = "the generated code is valid Rust")]
#[proc_macro_attribute]
pub fn test(words: TokenStream, function: TokenStream) -> TokenStream {
    let registration = registration(words, &function)
        .unwrap_or_else(|wrong| format!("::core::compile_error!({wrong:?});"));
    let registration: TokenStream = registration.parse().expect("the generated code is valid Rust");
    function.into_iter().chain(registration).collect()
}

fn registration(words: TokenStream, function: &TokenStream) -> Result<String, String> {
    let (name, is_async) = signature(function)?;
    let mut needs = String::new();
    let mut stores = None;
    for word in words {
        match word.to_string().as_str() {
            "each_store" => stores = Some("::common::stores::StoreKind::ALL"),
            "file_store" => stores = Some("&[::common::stores::StoreKind::File]"),
            "postgres" => needs += "::common::needs::Need::Postgres, ",
            "pgbouncer" => needs += "::common::needs::Need::PgBouncer, ",
            "chromium" => needs += "::common::needs::Need::Chromium, ",
            "axe" => needs += "::common::needs::Need::Axe, ",
            "," => {}
            other => {
                return Err(format!(
                    "unknown argument {other}: use postgres, pgbouncer, chromium, axe, each_store or \
                     file_store"
                ));
            }
        }
    }
    let run = match (stores, is_async) {
        (Some(stores), true) => format!(
            "OnStores({stores}, |kind| kind.try_out(|world| ::std::boxed::Box::pin({name}(world))))"
        ),
        (Some(stores), false) => format!("OnStores({stores}, {name})"),
        (None, true) => format!(
            "Async(|| ::std::boxed::Box::pin(async {{ ::common::suite::Ends::check({name}().await) }}))"
        ),
        (None, false) => format!("Plain(|| ::common::suite::Ends::check({name}()))"),
    };
    Ok(format!(
        "::common::inventory::submit! {{ ::common::suite::Test {{
            path: ::core::concat!(::core::module_path!(), \"::{name}\"),
            needs: &[{needs}],
            run: ::common::suite::Run::{run},
        }} }}"
    ))
}

/// Returns the name of a function, and whether it is async.
fn signature(function: &TokenStream) -> Result<(String, bool), String> {
    let mut is_async = false;
    let mut tokens = function.clone().into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word.to_string() == "async" => is_async = true,
            TokenTree::Ident(word) if word.to_string() == "fn" => {
                let name = tokens.next().ok_or("expected the name of a function")?;
                return Ok((name.to_string(), is_async));
            }
            _ => {}
        }
    }
    Err("a test must be a function".to_owned())
}
