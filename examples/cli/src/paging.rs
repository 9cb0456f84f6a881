//! Paging: one page, or all of them.

use keywright::store::{Listed, MAX_LIMIT, Page};

use crate::args::Paging;
use crate::failure::Failure;

impl Paging {
    /// Returns the requested number of items on a page, if any.
    pub(crate) fn page_size(&self) -> Option<u16> {
        self.limit.or(self.all.then_some(MAX_LIMIT))
    }

    /// Reads the page of a query, and with `--all` all following pages.
    pub(crate) async fn read<T: Listed>(
        &self,
        query: T::Query,
        read: impl AsyncFn(&T::Query) -> Result<Page<T>, Failure>,
    ) -> Result<Page<T>, Failure> {
        let mut page = read(&query).await?;
        while let Some(query) = page.next.as_ref().filter(|_| self.all) {
            let following = read(query).await?;
            page.items.extend(following.items);
            page.next = following.next;
        }
        Ok(page)
    }
}
