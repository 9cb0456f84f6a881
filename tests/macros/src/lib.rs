//! The attribute of tests that say what they need. It is used as `common::test`.

use proc_macro::{TokenStream, TokenTree};

/// Registers a test, in a binary without Rust's own harness that ends in [`common::suite::run`].
///
/// * `#[common::test]` runs a function, which may be async and is then run on tokio.
/// * `#[common::test(postgres)]` or `(postgres, pgbouncer)` names the programs that it needs. Without
///   them it is ignored.
/// * `#[common::test(each_store)]` runs a function once for each kind of store: an async one takes a world on a
///   new store, one that is not async the kind. `(file_store)` runs it for a store file alone.
#[proc_macro_attribute]
pub fn test(words: TokenStream, function: TokenStream) -> TokenStream {
    let registration = registration(words, &function)
        .unwrap_or_else(|wrong| format!("::core::compile_error!({wrong:?});"));
    let registration: TokenStream = registration.parse().expect("it is Rust");
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
            "," => {}
            other => return Err(format!("a test can't need {other}")),
        }
    }
    let run = match (stores, is_async) {
        (Some(stores), true) => format!(
            "OnStores({stores}, |kind| kind.try_out(|world| ::std::boxed::Box::pin({name}(world))))"
        ),
        (Some(stores), false) => format!("OnStores({stores}, {name})"),
        (None, true) => format!("Async(|| ::std::boxed::Box::pin({name}()))"),
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

/// The name of a function, and whether it is async.
fn signature(function: &TokenStream) -> Result<(String, bool), String> {
    let mut is_async = false;
    let mut tokens = function.clone().into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word.to_string() == "async" => is_async = true,
            TokenTree::Ident(word) if word.to_string() == "fn" => {
                let name = tokens.next().ok_or("a function has a name")?;
                return Ok((name.to_string(), is_async));
            }
            _ => {}
        }
    }
    Err("a test is a function".to_owned())
}
