//! Lists that come in pages, each of which says where the next one begins.

use super::error::{Fault, StorageError};

/// A server that goes on for longer never ends: 10,000 parts come in 10 pages.
const MOST_PAGES: usize = 1_000;

/// All pages of a list, by asking for one after the other; `page` gives one and where the next begins. `what`
/// is listed, for the error of a list that does not end.
pub(super) async fn all_pages<P, M, F>(
    what: &str,
    page: impl Fn(Option<M>) -> F + Send + Sync,
) -> Result<Vec<P>, StorageError>
where
    P: Send,
    M: Clone + PartialEq + Send + Sync,
    F: Future<Output = Result<(P, Option<M>), StorageError>> + Send,
{
    let mut pages = Vec::new();
    let mut marker = None;
    for _ in 0..MOST_PAGES {
        let (found, next) = page(marker.clone()).await?;
        pages.push(found);
        if next.is_none() {
            return Ok(pages);
        }
        if next == marker {
            break;
        }
        marker = next;
    }
    Err(StorageError::new(Fault::Other).about(format!("its list of {what} does not end")))
}
