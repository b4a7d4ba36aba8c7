//! Passes bodies on: freely, slowly, or only to a certain point.

use super::message::Body;
use super::stream::{Inflow, Outflow};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Slow bytes come so many times a second.
const DRIPS_PER_SEC: u64 = 20;

/// How bytes are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Freely,
    /// At so many bytes a second.
    Drip(u64),
    /// So many bytes, then [`Passed::Cut`].
    CutAt(u64),
    /// So many bytes, then a pause, then the rest.
    StallAt(u64, Duration),
}

/// How far it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    Whole,
    Cut,
}

/// One way for bytes, with its manner, counting what went through.
#[derive(Debug)]
pub(super) struct Pump<'a> {
    manner: Manner,
    passed: u64,
    counter: &'a AtomicU64,
}

impl<'a> Pump<'a> {
    pub(super) fn new(manner: Manner, counter: &'a AtomicU64) -> Self {
        Self {
            manner,
            passed: 0,
            counter,
        }
    }

    /// Passes a whole body on. Where `to` breaks, the rest is taken all the same and dropped if
    /// `broken` says so: a server may answer and close before it has read everything.
    pub(super) async fn body(
        &mut self,
        body: &mut Body,
        from: &mut Inflow,
        to: &mut Outflow,
        broken: Broken,
    ) -> io::Result<Passed> {
        let mut is_broken = false;
        while let Some(piece) = body.piece(from).await? {
            if is_broken {
                continue;
            }
            match self.bytes(&piece, to).await {
                Ok(Passed::Whole) => {}
                Ok(Passed::Cut) => return Ok(Passed::Cut),
                Err(_) if broken == Broken::ReadOn => is_broken = true,
                Err(problem) => return Err(problem),
            }
        }
        Ok(Passed::Whole)
    }

    /// Passes these bytes on.
    pub(super) async fn bytes(&mut self, bytes: &[u8], to: &mut Outflow) -> io::Result<Passed> {
        match self.manner {
            Manner::Freely => self.write(bytes, to).await?,
            Manner::Drip(bytes_per_sec) => {
                let drop_bytes = usize::try_from(bytes_per_sec / DRIPS_PER_SEC)
                    .unwrap_or(1)
                    .max(1);
                for drop in bytes.chunks(drop_bytes) {
                    let length = u32::try_from(drop.len()).unwrap_or(u32::MAX);
                    let rate = u32::try_from(bytes_per_sec).unwrap_or(u32::MAX).max(1);
                    tokio::time::sleep(Duration::from_secs(1) * length / rate).await;
                    self.write(drop, to).await?;
                }
            }
            Manner::CutAt(at) => {
                let (before, behind) = split_at(bytes, at.saturating_sub(self.passed));
                self.write(before, to).await?;
                if !behind.is_empty() || self.passed >= at {
                    return Ok(Passed::Cut);
                }
            }
            Manner::StallAt(at, pause) => {
                let (before, behind) = split_at(bytes, at.saturating_sub(self.passed));
                self.write(before, to).await?;
                if self.passed >= at {
                    self.manner = Manner::Freely;
                    tokio::time::sleep(pause).await;
                    self.write(behind, to).await?;
                }
            }
        }
        Ok(Passed::Whole)
    }

    async fn write(&mut self, bytes: &[u8], to: &mut Outflow) -> io::Result<()> {
        to.write(bytes).await?;
        self.passed += bytes.len() as u64;
        self.counter
            .fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

/// What a pump does when nobody takes its bytes any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    Fail,
    ReadOn,
}

fn split_at(bytes: &[u8], at: u64) -> (&[u8], &[u8]) {
    bytes.split_at(usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len()))
}
