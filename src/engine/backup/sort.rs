//! `Sorter`: brings entries into the order of the walk, by files in place of memory.
//!
//! They come in few long runs that are in order: one for each time that a backup was gone on with.

use crate::archive::walk_order;
use crate::engine::backup::index::{Index, IndexEntry, IndexReader, IndexWriter};
use std::cmp::Ordering;
use std::io;
use std::iter::Peekable;
use std::path::{Path, PathBuf};

/// Runs that are merged at once; each has a file open.
const MOST_RUNS: usize = 32;

/// Takes entries in any order and gives an index of them. Of a name that comes twice the later one counts.
#[derive(Debug)]
pub(super) struct Sorter {
    folder: PathBuf,
    /// Earlier ones first.
    runs: Vec<Index>,
    current: Option<(IndexWriter, Vec<u8>)>,
}

impl Sorter {
    /// `folder` is for scratch files.
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            runs: Vec::new(),
            current: None,
        }
    }

    /// Takes the next entry.
    pub(super) fn add(&mut self, entry: &IndexEntry) -> io::Result<()> {
        let is_next = |last: &Vec<u8>| walk_order(last.as_slice(), entry.order()) == Ordering::Less;
        let goes_on = self.current.as_ref().is_some_and(|(_, last)| is_next(last));
        if !goes_on {
            self.end_run()?;
            let writer = IndexWriter::create(&self.folder)?;
            self.current = Some((writer, Vec::new()));
        }
        if let Some((writer, last)) = &mut self.current {
            writer.add(entry)?;
            entry.order().clone_into(last);
        }
        Ok(())
    }

    /// Gives all that were taken, in order.
    pub(super) fn finish(mut self) -> io::Result<Index> {
        self.end_run()?;
        match self.runs.pop() {
            Some(only) if self.runs.is_empty() => Ok(only),
            last => {
                self.runs.extend(last);
                merge(&self.runs, &self.folder)
            }
        }
    }

    fn end_run(&mut self) -> io::Result<()> {
        if let Some((writer, _)) = self.current.take() {
            self.runs.push(writer.finish()?);
        }
        if self.runs.len() == MOST_RUNS {
            self.runs = vec![merge(&self.runs, &self.folder)?];
        }
        Ok(())
    }
}

/// Merges runs that are in order.
fn merge(runs: &[Index], folder: &Path) -> io::Result<Index> {
    let open = |run: &Index| Ok(run.read()?.peekable());
    let mut readers: Vec<Peekable<IndexReader>> =
        runs.iter().map(open).collect::<io::Result<_>>()?;
    let mut writer = IndexWriter::create(folder)?;
    loop {
        let mut least: Option<(usize, &[u8])> = None;
        let mut doubled = Vec::new();
        for (at, reader) in readers.iter_mut().enumerate() {
            let name = match reader.peek() {
                Some(Ok(entry)) => entry.order(),
                // An error is found out where it is taken.
                Some(Err(_)) => &[],
                None => continue,
            };
            let order = least.map_or(Ordering::Less, |(_, least)| walk_order(name, least));
            match order {
                Ordering::Less => doubled.clear(),
                // The later one counts.
                Ordering::Equal => doubled.extend(least.map(|(earlier, _)| earlier)),
                Ordering::Greater => continue,
            }
            least = Some((at, name));
        }
        let Some(at) = least.map(|(at, _)| at) else {
            return writer.finish();
        };
        for earlier in doubled {
            readers[earlier].next().transpose()?;
        }
        if let Some(entry) = readers[at].next().transpose()? {
            writer.add(&entry)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn entry(name: &str, number: usize) -> IndexEntry {
        IndexEntry::of_empty_file(name, number as u64)
    }

    proptest! {
        // Up to twice as many runs as are merged at once.
        #[test]
        fn all_come_back_in_order_and_of_each_name_the_last(names in proptest::collection::vec("[ab ]{1,2}(/[ab ]{1,3})?", 0..150)) {
            let folder = tempfile::tempdir().expect("a folder");
            let mut sorter = Sorter::new(folder.path());
            let mut expected = BTreeMap::new();
            for (number, name) in names.iter().enumerate() {
                let entry = entry(name, number);
                sorter.add(&entry).expect("taken");
                let parts: Vec<_> = name.split('/').map(str::to_owned).collect();
                expected.insert(parts, entry);
            }
            let index = sorter.finish().expect("an index");
            prop_assert_eq!(index.entries(), expected.len() as u64);
            let read: Vec<_> = index.read().expect("there").map(|entry| entry.expect("read")).collect();
            prop_assert_eq!(read, expected.into_values().collect::<Vec<_>>());
        }
    }
}
