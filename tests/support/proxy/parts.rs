//! The rule of stores that want all parts of an upload but the last to be of one size.

use std::collections::HashMap;

/// Whether a store with this rule would make an object of what a completion lists; `sizes` are those
/// of the parts that it has, by number.
pub(super) fn are_of_one_size(sizes: &HashMap<u32, u64>, completion: &[u8]) -> bool {
    let text = String::from_utf8_lossy(completion);
    let numbers = text.split("<PartNumber>").skip(1);
    let listed: Option<Vec<u64>> = numbers
        .map(|rest| {
            let number = rest.split('<').next()?.trim().parse().ok()?;
            sizes.get(&number).copied()
        })
        .collect();
    // A part that never came is no better than an unequal one.
    let Some((last, others)) = listed.as_ref().and_then(|listed| listed.split_last()) else {
        return false;
    };
    let Some(first) = others.first() else {
        return true;
    };
    others.iter().all(|size| size == first) && last <= first
}
