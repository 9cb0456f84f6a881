//! The source address of a request. The key of these rows is bound to two networks, 203.0.113.0/24
//! and `2001:db8:7::/48`.

use keywright::http::{Guard, TrustedProxies};

use super::Expected::Runs;
use super::{Expected, Row, denied, hold, row};

const FORWARDED: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.9";
const PROXY: &str = "10.0.0.1";

const IN: Expected = Runs("bound");
const OUT: Expected = denied("network_not_allowed");

fn proxies() -> TrustedProxies {
    let networks = "10.0.0.0/8 fd00::/8".parse().expect("networks");
    TrustedProxies::new(networks).expect("some, and not all")
}

fn trusting(guard: &Guard) -> Guard {
    guard.trust_proxies(proxies())
}

fn trusting_cloudflare(guard: &Guard) -> Guard {
    guard.trust_proxies(proxies().header("CF-Connecting-IP").expect("a name of a header"))
}

/// Without the setting, forwarded headers are ignored.
const NOT_TRUSTED: &[Row] = &[
    row!("peer inside"; "x-api-key": "{bound}" => IN; peer: Some(FORWARDED)),
    row!("peer inside, IPv6"; "x-api-key": "{bound}" => IN; peer: Some("2001:db8:7::1")),
    row!("peer inside, IPv4 in IPv6";
        "x-api-key": "{bound}" => IN; peer: Some("::ffff:203.0.113.7")),
    row!("peer outside"; "x-api-key": "{bound}" => OUT; peer: Some(ELSEWHERE)),
    row!("peer not known"; "x-api-key": "{bound}" => OUT),
    row!("peer not known, and a header";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7" => OUT),
    row!("peer outside, and a header";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7" => OUT; peer: Some(ELSEWHERE)),
    row!("peer outside, and every header";
        "x-api-key": "{bound}", "forwarded": "for=203.0.113.7", "x-real-ip": "203.0.113.7",
        "cf-connecting-ip": "203.0.113.7", "true-client-ip": "203.0.113.7", "x-client-ip": "203.0.113.7"
        => OUT;
        peer: Some(ELSEWHERE)),
    row!("peer inside, and a contradicting header";
        "x-api-key": "{bound}", "x-forwarded-for": "198.51.100.9" => IN;
        peer: Some(FORWARDED)),
];

const TRUSTED: &[Row] = &[
    row!("proxy, one address";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7"
        => IN; peer: Some(PROXY); guard: trusting),
    row!("proxy over IPv6";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7"
        => IN; peer: Some("fd00::1"); guard: trusting),
    row!("proxy as IPv4 in IPv6"; "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7" => IN;
        peer: Some("::ffff:10.0.0.1"); guard: trusting),
    row!("proxy, outside";
        "x-api-key": "{bound}", "x-forwarded-for": "198.51.100.9"
        => OUT; peer: Some(PROXY); guard: trusting),
    row!("proxy behind a proxy";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7, 10.9.9.9" => IN;
        peer: Some(PROXY); guard: trusting),
    row!("proxy, a lie to the left";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7, 198.51.100.9" => OUT;
        peer: Some(PROXY); guard: trusting),
    row!("proxy, a lie to the left of two proxies"; "x-api-key": "{bound}",
        "x-forwarded-for": "203.0.113.7, 198.51.100.9, 10.2.2.2, 10.3.3.3"
        => OUT; peer: Some(PROXY); guard: trusting),
    row!("proxy, rubbish to the left";
        "x-api-key": "{bound}", "x-forwarded-for": "unknown, , \u{ff}, 203.0.113.7" => IN;
        peer: Some(PROXY); guard: trusting),
    row!("proxy, two lines, the lie first";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7",
        "x-forwarded-for": "198.51.100.9" => OUT; peer: Some(PROXY); guard: trusting),
    row!("proxy, two lines, the truth last";
        "x-api-key": "{bound}", "x-forwarded-for": "198.51.100.9",
        "x-forwarded-for": "203.0.113.7" => IN; peer: Some(PROXY); guard: trusting),
    row!("proxy, two lines, one of proxies";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7",
        "x-forwarded-for": "10.1.1.1, 10.2.2.2" => IN; peer: Some(PROXY); guard: trusting),
    row!("proxy, two lines, the last one empty";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7",
        "x-forwarded-for": "" => OUT; peer: Some(PROXY); guard: trusting),
    row!("proxy, all of them proxies";
        "x-api-key": "{bound}", "x-forwarded-for": "10.1.1.1, 10.2.2.2" => OUT;
        peer: Some(PROXY); guard: trusting),
    row!("proxy, no header"; "x-api-key": "{bound}" => OUT; peer: Some(PROXY); guard: trusting),
    row!("proxy, an empty header";
        "x-api-key": "{bound}", "x-forwarded-for": "" => OUT; peer: Some(PROXY); guard: trusting),
    row!("proxy, another proxy's header";
        "x-api-key": "{bound}", "forwarded": "for=203.0.113.7" => OUT; peer: Some(PROXY);
        guard: trusting),
    row!("proxy, a key that is not bound";
        "x-api-key": "{good}", "x-forwarded-for": "unknown" => Runs("good");
        peer: Some(PROXY); guard: trusting),
];

const WRITTEN: &[Row] = &[
    row!("proxy, with a port";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7:51234"
        => IN; peer: Some(PROXY); guard: trusting),
    row!("proxy, IPv6";
        "x-api-key": "{bound}", "x-forwarded-for": "2001:db8:7::9"
        => IN; peer: Some(PROXY); guard: trusting),
    row!("proxy, in brackets";
        "x-api-key": "{bound}", "x-forwarded-for": "[2001:db8:7::9]"
        => IN; peer: Some(PROXY); guard: trusting),
    row!("proxy, in brackets with a port";
        "x-api-key": "{bound}", "x-forwarded-for": "[2001:db8:7::9]:443" => IN;
        peer: Some(PROXY); guard: trusting),
    row!("proxy, IPv4 in IPv6";
        "x-api-key": "{bound}", "x-forwarded-for": "::ffff:203.0.113.7" => IN; peer: Some(PROXY);
        guard: trusting),
    row!("proxy, a hop as IPv4 in IPv6";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7, ::ffff:10.1.1.1" => IN;
        peer: Some(PROXY); guard: trusting),
    row!("proxy, spaces and tabs around";
        "x-api-key": "{bound}", "x-forwarded-for": " \t203.0.113.7\t " => IN; peer: Some(PROXY);
        guard: trusting),
    row!("proxy, no spaces between";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7,10.1.1.1" => IN; peer: Some(PROXY);
        guard: trusting),
    row!("proxy, unknown";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7, unknown"
        => OUT; peer: Some(PROXY); guard: trusting),
    row!("proxy, a trailing comma";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7,"
        => OUT; peer: Some(PROXY); guard: trusting),
    row!("proxy, in quotes";
        "x-api-key": "{bound}", "x-forwarded-for": "\"203.0.113.7\""
        => OUT; peer: Some(PROXY); guard: trusting),
    row!("proxy, a port past the last";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7:99999" => OUT; peer: Some(PROXY);
        guard: trusting),
    row!("proxy, leading zeros";
        "x-api-key": "{bound}", "x-forwarded-for": "203.000.113.007"
        => OUT; peer: Some(PROXY); guard: trusting),
    row!("proxy, IPv4 in brackets";
        "x-api-key": "{bound}", "x-forwarded-for": "[203.0.113.7]" => OUT; peer: Some(PROXY);
        guard: trusting),
    row!("proxy, IPv6 with a zone";
        "x-api-key": "{bound}", "x-forwarded-for": "[2001:db8:7::9%1]:443" => OUT;
        peer: Some(PROXY); guard: trusting),
    row!("proxy, a port with a leading zero";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7:0443" => OUT; peer: Some(PROXY);
        guard: trusting),
    row!("proxy, a number";
        "x-api-key": "{bound}", "x-forwarded-for": "3405803783"
        => OUT; peer: Some(PROXY); guard: trusting),
    row!("proxy, a network";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.0/24"
        => OUT; peer: Some(PROXY); guard: trusting),
    row!("proxy, an open bracket";
        "x-api-key": "{bound}", "x-forwarded-for": "[2001:db8:7::9"
        => OUT; peer: Some(PROXY); guard: trusting),
    row!("proxy, bytes that are no text";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7{0xFF}" => OUT; peer: Some(PROXY);
        guard: trusting),
    row!("proxy, 64 KB of commas";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7{65536 ,}" => OUT; peer: Some(PROXY);
        guard: trusting),
];

const OTHERS: &[Row] = &[
    row!("no proxy, and a header";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7" => OUT; peer: Some(ELSEWHERE);
        guard: trusting),
    row!("no proxy, inside, and a contradicting header";
        "x-api-key": "{bound}", "x-forwarded-for": "198.51.100.9" => IN;
        peer: Some(FORWARDED); guard: trusting),
    row!("unknown peer, and a header";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7" => OUT; guard: trusting),
    row!("another header, the address";
        "x-api-key": "{bound}", "cf-connecting-ip": "203.0.113.7" => IN; peer: Some(PROXY);
        guard: trusting_cloudflare),
    row!("another header, and a false usual one";
        "x-api-key": "{bound}", "cf-connecting-ip": "198.51.100.9",
        "x-forwarded-for": "203.0.113.7" => OUT; peer: Some(PROXY); guard: trusting_cloudflare),
    row!("another header is missing";
        "x-api-key": "{bound}", "x-forwarded-for": "203.0.113.7" => OUT; peer: Some(PROXY);
        guard: trusting_cloudflare),
    row!("another header, twice"; "x-api-key": "{bound}", "cf-connecting-ip": "203.0.113.7",
        "cf-connecting-ip": "198.51.100.9" => OUT; peer: Some(PROXY); guard: trusting_cloudflare),
];

pub(super) const ROWS: [&[Row]; 4] = [NOT_TRUSTED, TRUSTED, WRITTEN, OTHERS];

#[test]
fn t_h11_untrusted_header_names_no_source() {
    hold(NOT_TRUSTED);
}

#[test]
fn t_h11_trusted_proxy_is_read_from_right() {
    hold(TRUSTED);
}

#[test]
fn t_h11_unreadable_forwarded_address_is_unknown() {
    hold(WRITTEN);
}

#[test]
fn t_h11_empty_and_full_networks_are_refused() {
    use keywright::Networks;
    use keywright::http::TrustedProxiesError::{Empty, EveryAddress};

    let refused = |networks: Networks| TrustedProxies::new(networks).expect_err("no proxies");
    assert_eq!(refused(Networks::anywhere()), Empty);
    for (networks, all) in [
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("10.0.0.0/8 ::/0", "::/0"),
        // Every address as halves and as quarters.
        ("0.0.0.0/1 128.0.0.0/1", "0.0.0.0/0"),
        ("::/1 8000::/2 c000::/2", "::/0"),
    ] {
        let all = all.parse().expect("a network");
        assert_eq!(refused(networks.parse().expect("networks")), EveryAddress(all), "{networks}");
    }
    for header in ["Forwarded", "authorization", "Cookie", "", "a b", "é"] {
        assert!(proxies().header(header).is_err(), "{header}");
    }
}

#[test]
fn t_h11_untrusted_peer_is_not_believed() {
    hold(OTHERS);
}
