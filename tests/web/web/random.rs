//! Random sets of headers: tower and actix-web give the same answer, which matches a shorter
//! version of the rule.

use actix_web::App;
use actix_web::test::{call_service, init_service};

use crate::exchange::{Asked, Witness};
use crate::faces::{Taken, actix, tower};
use crate::run;
use crate::site::Site;
use crate::table::placeholders::basic;
use common::header_rule::{self, Accepted};
use common::{Random, seed};

const REQUESTS: usize = 20_000;
/// Minimum number of accepted requests; fewer would test little.
const MANY: usize = 200;

/// Returns the pieces of the header values.
fn pieces(site: &Site) -> Vec<Vec<u8>> {
    let token = |name| site.token(name).to_owned();
    let half = |name| site.text(name).expect("a half of a token").to_owned();
    let encoded = |id, secret| basic(&half(id), &half(secret)).split_off("Basic ".len());
    let texts = ["Bearer", "bearer", "bEARER", "Basic", "BASIC", "Digest", "Token", "a", "A=="];
    let marks = [" ", " ", " ", " ", "\t", "", ",", ";", "=", ":", "\"", "%20"];
    let mut pieces: Vec<Vec<u8>> = texts.iter().chain(&marks).map(|text| (*text).into()).collect();
    let tokens =
        ["good", "good", "good", "other", "revoked", "unknown", "bad_check", "wrong_prefix"];
    pieces.extend(tokens.map(token).map(String::into_bytes));
    pieces.extend(["good.id", "good.secret"].map(half).map(String::into_bytes));
    let credentials =
        [("good.id", "good.secret"), ("good.id", "other.secret"), ("revoked.id", "revoked.secret")];
    pieces.extend(credentials.map(|(id, secret)| encoded(id, secret).into_bytes()));
    pieces.extend([vec![0xFF], vec![0xC3, 0xA9], vec![b'x'; 130], "\u{430}".into()]);
    pieces
}

/// Draws a plausible value, or one built from pieces.
fn value(random: &mut Random, pieces: &[Vec<u8>], site: &Site) -> Vec<u8> {
    let (id, secret) = (site.text("good.id"), site.text("good.secret"));
    let mut value = match random.below(6) {
        0 => format!("Bearer {}", site.token("good")).into_bytes(),
        1 => basic(id.expect("an id"), secret.expect("a secret")).into_bytes(),
        2 => site.token("good").into(),
        _ => {
            let count = random.below(5);
            (0..count).flat_map(|_| pieces[random.below(pieces.len())].clone()).collect()
        }
    };
    // A small change finds other faults than a completely random value.
    if random.below(4) == 0 && !value.is_empty() {
        let place = random.below(value.len());
        match random.below(4) {
            0 => _ = value.remove(place),
            1 => value.insert(random.below(value.len() + 1), b" \t"[random.below(2)]),
            2 => value[place] = value[place].to_ascii_uppercase(),
            _ => value[place] = b'0',
        }
    }
    value
}

fn asked(random: &mut Random, pieces: &[Vec<u8>], site: &Site) -> Asked {
    const NAMES: [&str; 8] = [
        "authorization",
        "Authorization",
        "x-api-key",
        "X-API-KEY",
        "x-api-key",
        "cookie",
        "proxy-authorization",
        "x-forwarded-for",
    ];
    let count = [1, 1, 1, 2, 2, 3][random.below(6)];
    (0..count).fold(Asked::get(), |asked, _| {
        let name = NAMES[random.below(NAMES.len())];
        asked.header(name, value(random, pieces, site))
    })
}

/// Returns a token of the site that works.
fn accepted(name: &str, site: &Site) -> Accepted {
    let half = |part: &str| site.text(&format!("{name}.{part}")).expect("a half").to_owned();
    Accepted { token: site.token(name).to_owned(), basic: basic(&half("id"), &half("secret")) }
}

#[test]
fn t_h15_random_headers_get_one_answer() {
    run(async |site| {
        let (mut random, pieces) = (Random::seeded(seed()), pieces(site));
        let (guard, witness) = (site.guard(), Witness::default());
        let accepted = ["good", "other"].map(|name| accepted(name, site));
        let handler = actix::handler(Taken::Grant, &witness);
        let app = init_service(App::new().wrap(guard.clone()).default_service(handler)).await;
        let mut counts = std::collections::BTreeMap::new();
        for number in 0..REQUESTS {
            let asked = asked(&mut random, &pieces, site);
            let service = tower::guarded(&guard, &witness);
            let from_tower = tower::ask(service, &asked, &witness).await;
            let response = call_service(&app, actix::request(&asked).to_request()).await;
            let from_actix = actix::answered(response, &witness).await;
            assert_eq!(from_tower, from_actix, "request {number}");
            let status = header_rule::status(&asked.headers, &accepted);
            assert_eq!(from_tower.status, status, "request {number}");
            assert_eq!(from_tower.seen.is_some(), status == 200, "request {number}");
            *counts.entry(status).or_insert(0) += 1;
        }
        for status in [200, 400, 401] {
            let count = counts.get(&status).copied().unwrap_or(0);
            assert!(count > MANY, "only {count} of {status}: {counts:?}");
        }
    });
}
