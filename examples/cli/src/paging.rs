//! One page, or all of them.

use keywright::store::{Cursor, MAX_LIMIT, Page};

use crate::args::Paging;
use crate::failure::Failure;

impl Paging {
    /// How many items a page is to have, if somebody says.
    pub(crate) fn page_size(&self) -> Option<u16> {
        self.limit.or(self.all.then_some(MAX_LIMIT))
    }

    /// Reads the page behind the cursor that was given, and those behind it if all are wanted.
    pub(crate) async fn read<T>(
        &self,
        read: impl AsyncFn(Option<&Cursor>) -> Result<Page<T>, Failure>,
    ) -> Result<Page<T>, Failure> {
        let mut page = read(self.after.as_ref()).await?;
        while let Some(cursor) = page.next.as_ref().filter(|_| self.all) {
            let following = read(Some(cursor)).await?;
            page.items.extend(following.items);
            page.next = following.next;
        }
        Ok(page)
    }
}
