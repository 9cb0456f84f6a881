//! Where a token is found, and what is none.

use keywright::Prefix;
use keywright::scan::Scanner;

use common::{Random, World, block_on};

use super::token;

#[test]
fn b11_token_is_found_in_any_context() {
    let random = Random::seeded(1);
    let texts = [
        "{}",
        "\"{}\"",
        "X-API-Key: {}\r\n",
        "API_KEY={}",
        "export KEY='{}';",
        "https://api.example.com/v1?key={}&page=2",
        "curl -u 'x:{}' -H \"Authorization: Bearer {}\"",
        "https%3A%2F%2Fapi.example.com%3Fkey%3D{}%26page%3D2",
        "{\\\"key\\\":\\\"{}\\\"}",
        "[\"{}\",\"{}\"]",
        "longer{}word",
        "0{}0",
        "_{}_",
        "{}{}",
        "\u{fffd}{}\u{fffd}",
        "a\0{}\0b",
        "__{}__{}",
    ];
    for text in texts {
        for prefix in ["key", "a", "acme_live", "abcdefghijklmnopqrstuvwxyz012345"] {
            let token = token(prefix, &random);
            let full = text.replace("{}", &token);
            let starts: Vec<_> = full.match_indices(&token).map(|(at, _)| at as u64).collect();
            let scanner = Scanner::new();
            let found: Vec<_> = scanner.find(&full).collect();
            let places: Vec<_> = found.iter().map(|found| found.range.start).collect();
            assert_eq!(places, starts, "{text:?}");
            for found in found {
                assert_eq!(found.prefix.as_str(), prefix);
                assert_eq!(found.token.expose(), token);
                assert_eq!(found.token.key_id().as_str(), &token[prefix.len() + 1..][..16]);
                assert!(token.ends_with(found.token.expose_key_secret()));
            }
        }
    }
}

#[test]
fn b11_look_alike_is_not_found() {
    let random = Random::seeded(2);
    let token = token("acme_live", &random);
    let body = token.len() - 54;
    let (id, secret) = token[body..].split_at(16);
    let mut texts = vec![
        String::new(),
        "_".repeat(500),
        random.symbols(5_000),
        format!("acme_live_{}", random.symbols(54)),
        format!("acme_live_{}", "X".repeat(54)),
        token.to_uppercase(),
        token.replace("acme", "acne"),
        token.replace('_', "%5F"),
        token.replace('_', "-"),
        format!("{}\n{}", &token[..30], &token[30..]),
        format!("_{}", &token[body..]),
        format!("{id} {secret}"),
        format!("{id}:{secret}"),
        format!("client_id={id}&client_secret={secret}"),
        format!("0{}", &token[body - 1..]),
    ];
    texts.extend((0..token.len()).map(|n| format!("{}{}", &token[..n], &token[n + 1..])));
    texts.extend((body..token.len()).map(|n| format!("{}-{}", &token[..n], &token[n + 1..])));
    for text in texts {
        let found = Scanner::new().find(&text).count();
        assert_eq!(found, 0, "{text}");
    }
    let wide: Vec<u8> = token.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(Scanner::new().find(&wide).count(), 0);
}

#[test]
fn b11_named_prefixes_narrow_the_search() {
    let random = Random::seeded(3);
    let [live, staging, other] =
        ["acme_live", "acme_staging", "live"].map(|prefix| token(prefix, &random));
    let text = format!("{live} {staging} {other} x{live}");
    let found = |prefixes: &[&str]| -> Vec<String> {
        let prefixes = prefixes.iter().map(|prefix| Prefix::new(prefix).expect("a prefix"));
        let scanner = Scanner::new().prefixes(prefixes);
        scanner.find(&text).map(|found| found.token.expose().to_owned()).collect()
    };
    assert_eq!(found(&[]), [&*live, &staging, &other, &live]);
    assert_eq!(found(&["acme_live"]), [&*live, &live]);
    assert_eq!(found(&["live", "acme_staging"]), [&*staging, &other]);
    assert_eq!(found(&["acme"]), [""; 0]);
    assert!(Scanner::new().prefixes([Prefix::default()]).recognize(&live).is_none());
}

#[test]
fn b11_whole_token_is_recognized_offline() {
    let random = Random::seeded(4);
    let token = token("acme_live", &random);
    let found = Scanner::new().recognize(&token).expect("a token");
    assert_eq!((found.prefix.as_str(), found.range.clone()), ("acme_live", 0..64));
    assert_eq!(found.display_prefix(), token[..26]);
    let huge = format!("{token}{}", "x".repeat(1_000_000));
    for text in [&*huge, "", "acme_live", &token[1..], &token[..63], &format!(" {token}")] {
        assert!(Scanner::new().recognize(text).is_none());
    }
}

#[test]
fn b11_new_token_is_found() {
    block_on(async {
        let world = World::in_memory();
        for _ in 0..50 {
            let issued = world.key().await;
            let text = format!("({})", issued.token.expose());
            let scanner = Scanner::new().prefixes([issued.key.prefix.clone()]);
            let found = scanner.find(&text).next().expect("it is found");
            assert_eq!(found.token.key_id(), issued.key.id);
            assert_eq!(found.display_prefix(), issued.key.display_prefix());
        }
    });
}

#[test]
fn found_token_hides_its_secret() {
    let random = Random::seeded(5);
    let token = token("acme_live", &random);
    let scanner = Scanner::new();
    let mut stream = scanner.stream();
    let found = stream.push(token.as_bytes());
    let read: Vec<_> = scanner.read(token.as_bytes()).collect();
    let shown = format!(
        "{found:?} {stream:?} {read:?} {:?} {:?} {scanner:?} {:?}",
        scanner.find(&token),
        scanner.read(token.as_bytes()),
        scanner.redactor(Vec::new()),
    );
    assert!(shown.contains(&token[10..26]), "{shown}");
    let secret = &token[26..];
    let is_part = |part: &[u8]| shown.contains(std::str::from_utf8(part).expect("ASCII"));
    assert!(!secret.as_bytes().windows(8).any(is_part), "{shown}");
}
