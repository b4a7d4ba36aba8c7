//! `Budget`: how many bytes may be in memory at once between reading and writing.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// How many bytes may be in memory at once.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    free: Mutex<u64>,
    returned: Condvar,
    all: u64,
}

/// Some of a budget; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Permit {
    shared: Arc<Shared>,
    bytes: u64,
}

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        Self {
            shared: Arc::new(Shared {
                free: Mutex::new(bytes),
                returned: Condvar::new(),
                all: bytes,
            }),
        }
    }

    /// Waits until so much is free. More than there is at all counts as all of it.
    pub(super) fn take(&self, bytes: u64) -> Permit {
        let bytes = bytes.min(self.shared.all);
        let free = self.shared.free.lock();
        let mut free = free.unwrap_or_else(PoisonError::into_inner);
        while *free < bytes {
            let woken = self.shared.returned.wait(free);
            free = woken.unwrap_or_else(PoisonError::into_inner);
        }
        *free -= bytes;
        Permit {
            shared: Arc::clone(&self.shared),
            bytes,
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let free = self.shared.free.lock();
        *free.unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.shared.returned.notify_all();
    }
}
