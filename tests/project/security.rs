//! The page for a security review: every requirement has an answer, and every test that it names exists.

use std::collections::BTreeSet;

use crate::coverage::tests;
use crate::tables::{assert_proof, page, rows};

/// The number of requirements of a table, its heading, and the beginning of its ids.
const TABLES: [(usize, &str, &str); 2] =
    [(30, "## OWASP ASVS 5.0", "v5.0.0-"), (10, "## NIST SP 800-63B", "")];

#[test]
fn every_requirement_has_an_answer() {
    let (page, tests) = (page("security.md"), tests());
    for (least, heading, prefix) in TABLES {
        let rows = rows(&page, heading);
        assert!(rows.len() >= least, "{heading} has {} rows", rows.len());
        for row in &rows {
            let [id, demand, answer, proof] = row.as_slice() else { panic!("four cells: {row:?}") };
            let number = id.strip_prefix(prefix).unwrap_or_else(|| panic!("{id} lacks {prefix}"));
            assert!(number.split('.').all(|part| part.parse::<u8>().is_ok()), "{id}");
            assert!(demand.len() > 15, "{id} demands {demand:?}");
            let (kind, reason) = answer.split_once(".** ").unwrap_or_default();
            assert!(reason.len() > 15, "{id} is answered with {answer:?}");
            match kind {
                "**Met" => {
                    assert!(!proof.starts_with("none"), "{id} is met without a test");
                    assert_proof(proof, &tests);
                }
                "**Host" | "**Not applicable" if *proof == "-" => {}
                "**Partly" | "**Host" | "**Not applicable" => assert_proof(proof, &tests),
                _ => panic!("{id} is answered with {answer:?}"),
            }
        }
    }
}

#[test]
fn requirements_of_asvs_are_sorted() {
    let page = page("security.md");
    let (_, heading, prefix) = TABLES[0];
    let number = |id: &str| -> Vec<u8> {
        let parts = id.strip_prefix(prefix).unwrap_or_default().split('.');
        parts.map(|part| part.parse().expect("a number")).collect()
    };
    let listed: Vec<_> = rows(&page, heading).iter().map(|row| number(row[0])).collect();
    let sorted: Vec<_> = listed.iter().collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(listed.iter().collect::<Vec<_>>(), sorted);
}
