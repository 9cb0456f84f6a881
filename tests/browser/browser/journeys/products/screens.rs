//! The page of each product in its own layout.

use common::TestResult;

use super::demo::Demo;
use crate::tab::Tab;

const PRODUCTS: [&str; 5] = ["Workbase", "Ledgerline", "Gatepost", "Fleetdesk", "Globex"];

#[common::test(chromium, axe)]
async fn every_product_is_accessible() -> TestResult {
    let (demo, tab) = (Demo::open().await?, Tab::new().await?);
    for product in PRODUCTS {
        demo.visit(&tab, product).await?;
        assert_eq!(tab.violations().await?, Vec::<String>::new(), "{product}");
        assert_eq!(tab.complaints().await?, Vec::<String>::new(), "{product}");
        for width in [320, 1280] {
            tab.set_size(width, 800, 1).await?;
            assert_eq!(tab.overflow().await?, 0, "{product} on {width} px");
        }
    }
    Ok(())
}
