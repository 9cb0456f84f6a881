//! The token of a new key: it is shown once, and no way through the browser's history makes a second key.

use std::time::Duration;

use tokio::time::sleep;

use common::TestResult;

use crate::host::Host;
use crate::steps::{PREFIX, assert_no_token, create, double_click, open_form, shown_token, tokens};
use crate::tab::Tab;

#[common::test(chromium)]
async fn b20_created_key_is_copied_and_works() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    let token = create(&tab, &host, "prod-main-app").await?;
    assert_eq!(host.world.says(&token), "current");
    tab.press("Copy API key").await?;
    tab.sees("Copied").await?;
    tab.follow("I have stored it").await?;
    tab.sees("is not stored. If it is lost, rotate the key").await?;
    assert_no_token(&tab).await?;
    // The clipboard has the token: it can be pasted, here into the search.
    tab.open(&host.url("")).await?;
    tab.paste_into("Name, id or owner").await?;
    assert_eq!(tab.value("Name, id or owner").await?, token);
    assert_eq!(host.only_key().await?.key.name.as_str(), "prod-main-app");
    assert_eq!(tab.complaints().await?, Vec::<String>::new());
    Ok(())
}

#[common::test(chromium)]
async fn t_h16_reload_makes_no_second_key() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    create(&tab, &host, "prod-main-app").await?;
    tab.reload().await?;
    tab.sees("prod-main-app").await?;
    assert_no_token(&tab).await?;
    assert_eq!(host.server.posts().len(), 1);
    host.only_key().await?;
    Ok(())
}

#[common::test(chromium)]
async fn t_h16_reload_without_javascript_is_harmless() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::without_javascript().await?);
    create(&tab, &host, "prod-main-app").await?;
    tab.reload().await?;
    tab.sees("This form was sent already").await?;
    assert_no_token(&tab).await?;
    assert_eq!(host.server.posts().len(), 2, "the browser sent the form again");
    host.only_key().await?;
    Ok(())
}

#[common::test(chromium)]
async fn t_h16_back_and_forward_hide_the_token() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    create(&tab, &host, "prod-main-app").await?;
    tab.follow("I have stored it").await?;
    tab.sees("is not stored. If it is lost, rotate the key").await?;
    for step in 0..4 {
        if step % 2 == 0 {
            tab.back().await?;
        } else {
            tab.forward().await?;
        }
        sleep(Duration::from_millis(300)).await;
        assert_no_token(&tab).await.map_err(|error| format!("step {step}: {error}"))?;
    }
    assert_eq!(host.server.posts().len(), 1);
    host.only_key().await?;
    Ok(())
}

#[common::test(chromium)]
async fn t_h16_leaving_hides_the_token() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    let token = create(&tab, &host, "prod-main-app").await?;
    // The user leaves by the address bar, and comes back by the button of the browser.
    tab.press("Copy API key").await?;
    tab.open(&host.url("/new")).await?;
    tab.back().await?;
    sleep(Duration::from_millis(300)).await;
    assert!(!tokens(PREFIX, &tab.text().await?).contains(&token), "the token is shown again");
    assert_eq!(host.server.posts().len(), 1);
    Ok(())
}

#[common::test(chromium)]
async fn t_h16_double_click_makes_one_key() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    open_form(&tab, &host, "prod-main-app").await?;
    host.server.delay_answers(Duration::from_millis(300));
    double_click(&tab, "Generate").await?;
    let token = shown_token(&tab).await?;
    assert_eq!(host.world.says(&token), "current");
    host.only_key().await?;
    Ok(())
}

#[common::test(chromium)]
async fn t_h16_double_click_without_javascript_makes_one_key() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::without_javascript().await?);
    open_form(&tab, &host, "prod-main-app").await?;
    host.server.delay_answers(Duration::from_millis(300));
    double_click(&tab, "Generate").await?;
    // The browser shows the answer to the last POST, which may be the only one.
    tab.sees("prod-main-app").await.or(tab.sees("This form was sent already").await)?;
    host.only_key().await?;
    Ok(())
}

#[common::test(chromium)]
async fn t_h16_lost_answer_makes_one_key() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    open_form(&tab, &host, "prod-main-app").await?;
    host.server.lose_next_answer();
    tab.press("Generate").await?;
    tab.sees("Gateway timeout").await?;
    tab.back().await?;
    tab.fill("Name", "prod-main-app").await?;
    tab.press("Generate").await?;
    tab.sees("This form was sent already").await?;
    assert_no_token(&tab).await?;
    assert_eq!(host.server.posts().len(), 2);
    host.only_key().await?;
    // The way out: the key that exists, and a new secret for it.
    tab.follow("Open the key").await?;
    tab.follow("Rotate prod-main-app").await?;
    tab.choose("It ends now").await?;
    tab.press("Rotate").await?;
    let token = shown_token(&tab).await?;
    assert_eq!(host.world.says(&token), "current");
    Ok(())
}
