//! Whose data may be read. A [`Tenant`] is a witness: holding one means this caller may read that
//! site, and every dashboard query demands one (I9).

use serde::Serialize;

/// A site's number. 0 is never a site: markers live there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SiteId(pub u32);

/// Proof that the caller may read one site. Minted by `accounts` alone, after its check.
#[derive(Clone, Copy, Debug)]
pub struct Tenant {
    site: SiteId,
}

impl Tenant {
    /// For `accounts`, after it has checked the caller's role; a test over the source holds it to that.
    pub(crate) fn mint(site: SiteId) -> Tenant {
        Tenant { site }
    }

    /// For the tests of queries, which have no accounts; nothing in `src` may call it.
    #[doc(hidden)]
    pub fn of_test(site: SiteId) -> Tenant {
        Tenant { site }
    }

    /// The site that may be read.
    pub fn site(self) -> SiteId {
        self.site
    }
}
