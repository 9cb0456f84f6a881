//! A picture of each product's page.

use common::TestResult;

use super::demo::Demo;
use crate::pictures::Album;

#[common::test(chromium)]
async fn products_are_drawn() -> TestResult {
    let (demo, album) = (Demo::open().await?, Album::new().await?);
    for product in ["Workbase", "Ledgerline", "Gatepost", "Fleetdesk", "Globex"] {
        demo.visit(&album.tab, product).await?;
        album.draw(&product.to_lowercase()).await?;
    }
    Ok(())
}
