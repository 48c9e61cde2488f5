//! User and group identities of a task.

use alloc::sync::Arc;
use alloc::vec::Vec;

/// The identities of a task; shared until one of them changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Creds {
    /// Real user.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// Saved user.
    pub suid: u32,
    /// User for file access.
    pub fsuid: u32,
    /// Real group.
    pub gid: u32,
    /// Effective group.
    pub egid: u32,
    /// Saved group.
    pub sgid: u32,
    /// Group for file access.
    pub fsgid: u32,
    /// Supplementary groups.
    pub groups: Arc<Vec<u32>>,
}

impl Creds {
    /// All identities `uid` and `gid`, and no further group.
    #[must_use]
    pub fn new(uid: u32, gid: u32) -> Self {
        Self { uid, euid: uid, suid: uid, fsuid: uid, gid, egid: gid, sgid: gid, fsgid: gid, groups: Arc::default() }
    }

    /// True for the superuser, who may do everything. (Capabilities follow
    /// from it: a task has all of them or none.)
    #[must_use]
    pub const fn is_privileged(&self) -> bool {
        self.euid == 0
    }

    /// True if `gid` is the group for file access or a supplementary one.
    #[must_use]
    pub fn in_group(&self, gid: u32) -> bool {
        self.fsgid == gid || self.groups.contains(&gid)
    }
}
