//! Plays the table against the gateway alone, and against the gateway and nginx side by side.

use crate::exchange::{Answer, Pieces};
use crate::proxy::{Outcome, Proxy};
use crate::row::Row;
use crate::rows;

const METHODS: [&str; 3] = ["GET", "PUT", "POST"];

/// What is wrong with what came of a row at the gateway.
fn check(row: &Row, method: &str, outcome: &Outcome) -> Option<String> {
    if let Some(poisoned) = &outcome.poisoned {
        return Some(format!("another client's request is not to be touched: {poisoned}"));
    }
    let expected = row.expected(method);
    if outcome.essences() != expected {
        return Some(format!("the endpoint is to see {expected:?}"));
    }
    if !outcome.is_answered_in_order() {
        return Some("each request that is seen is to be answered, in order".to_owned());
    }
    let refusals: Vec<u16> =
        outcome.answers.iter().filter(|answer| answer.status != 200).map(|answer| answer.status).collect();
    if refusals != Vec::from_iter(row.refused) {
        return Some(format!("the client is to be refused with {:?}", row.refused));
    }
    for (name, value) in &row.headers {
        let values: Vec<&str> = outcome.seen.first()?.values(name).collect();
        if values != Vec::from_iter(value.as_deref()) {
            return Some(format!("`{name}` is to be {value:?}"));
        }
    }
    None
}

/// What is wrong with what came of a row at the gateway, seen from nginx.
fn compare(gateway: &Outcome, nginx: &Outcome) -> Option<String> {
    if let Some(poisoned) = &gateway.poisoned {
        return Some(format!("another client's request is not to be touched: {poisoned}"));
    }
    if gateway.essences() == nginx.essences() {
        return None;
    }
    let refused = gateway.answers.iter().any(Answer::is_refusal);
    let mut of_nginx = nginx.essences().into_iter();
    let only_less = gateway.essences().into_iter().all(|seen| of_nginx.any(|other| other == seen));
    (!refused || !only_less).then(|| format!("nginx's endpoint sees {:?}", nginx.essences()))
}

fn report(wrong: &[String], played: usize) {
    assert!(wrong.is_empty(), "{} of {played} went wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}

async fn check_all(pieces: Pieces) {
    let gateway = Proxy::gateway().await;
    let (mut wrong, mut played) = (Vec::new(), 0);
    for row in rows::all() {
        for method in METHODS {
            let outcome = gateway.play(&row, method, pieces).await;
            played += 1;
            if let Some(problem) = check(&row, method, &outcome) {
                wrong.push(format!("{} with {method}: {problem}; {outcome:?}", row.name));
            }
        }
    }
    report(&wrong, played);
}

#[tokio::test]
async fn the_endpoint_sees_what_the_table_says() {
    check_all(Pieces::One).await;
}

#[tokio::test]
async fn it_does_not_matter_in_which_pieces_the_bytes_come() {
    // Not shorter than the preface of HTTP/2: in pieces hyper takes that for a bad version, and says so.
    check_all(Pieces::Of(24)).await;
}

#[tokio::test]
async fn the_endpoint_sees_what_nginx_would_have_passed_on_or_the_client_is_refused() {
    let Some(nginx) = Proxy::nginx().await else { return };
    let gateway = Proxy::gateway().await;
    let (mut wrong, mut played) = (Vec::new(), 0);
    for row in rows::all() {
        for method in METHODS {
            let (by_gateway, by_nginx) =
                tokio::join!(gateway.play(&row, method, Pieces::One), nginx.play(&row, method, Pieces::One));
            played += 1;
            if let Some(problem) = compare(&by_gateway, &by_nginx) {
                let answers = &by_nginx.answers;
                wrong.push(format!(
                    "{} with {method}: {problem}; {by_gateway:?}; nginx {answers:?}",
                    row.name
                ));
            }
        }
    }
    report(&wrong, played);
}

#[test]
fn the_table_is_large_enough_and_names_each_row_once() {
    let rows = rows::all();
    assert!(rows.len() >= 120, "{} rows", rows.len());
    let names: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names.len(), rows.len());
}
