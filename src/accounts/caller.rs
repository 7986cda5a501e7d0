//! Who asks, and what they may see. [`Accounts::tenant`] is the only place that mints a
//! [`Tenant`] (I9).

use rusqlite::{OptionalExtension, params};
use serde::Serialize;

use super::{Accounts, Denied, Site, User, token};
use crate::config::Secret;
use crate::tenant::{SiteId, Tenant};

/// What a user may do on one site; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads and changes settings.
    Admin,
    /// Everything, removal included.
    Owner,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: &'static [Role] = &[Role::Viewer, Role::Admin, Role::Owner];

    /// Its name, as kept and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Admin => "admin",
            Role::Owner => "owner",
        }
    }

    /// The role of this name.
    pub fn named(name: &str) -> Option<Role> {
        Role::ALL.iter().copied().find(|role| role.as_str() == name)
    }
}

/// What an API key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Scope {
    /// Read reports.
    #[serde(rename = "stats:read")]
    StatsRead,
    /// Add and change sites, as far as the key's user may.
    #[serde(rename = "sites:write")]
    SitesWrite,
}

impl Scope {
    /// Every scope.
    pub const ALL: &'static [Scope] = &[Scope::StatsRead, Scope::SitesWrite];

    /// Its name, as kept and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::StatsRead => "stats:read",
            Scope::SitesWrite => "sites:write",
        }
    }

    /// The scope of this name.
    pub fn named(name: &str) -> Option<Scope> {
        Scope::ALL.iter().copied().find(|scope| scope.as_str() == name)
    }
}

/// Whoever makes a request, found by their session or API key.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(super) who: Who,
    /// The session's CSRF token; API keys need none, a browser never sends them by itself.
    pub(super) csrf: Option<Secret>,
    /// `None`: a session, which may do all that its user may.
    pub(super) scopes: Option<Vec<Scope>>,
}

#[derive(Clone, Debug)]
pub(super) enum Who {
    User(User),
    /// A key that reads one site.
    Site(SiteId),
}

impl Caller {
    /// The user, unless it is a site's own key.
    pub fn user(&self) -> Option<&User> {
        match &self.who {
            Who::User(user) => Some(user),
            Who::Site(_) => None,
        }
    }

    /// The token that a session's changing requests must carry in `x-csrf-token`.
    pub fn csrf(&self) -> Option<&str> {
        self.csrf.as_ref().map(Secret::reveal)
    }

    /// Checks the header `x-csrf-token` of a request that changes something.
    ///
    /// # Errors
    /// `Csrf`.
    pub fn check_csrf(&self, header: Option<&str>) -> Result<(), Denied> {
        match (self.csrf(), header) {
            (None, _) => Ok(()),
            (Some(csrf), Some(header)) if token::same(csrf, header) => Ok(()),
            _ => Err(Denied::Csrf),
        }
    }

    /// Checks that the caller's key, if it is one, is for this.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn check_scope(&self, scope: Scope) -> Result<(), Denied> {
        match &self.scopes {
            Some(scopes) if !scopes.contains(&scope) => Err(Denied::Forbidden),
            _ => Ok(()),
        }
    }
}

impl Accounts {
    /// The proof that this caller may read this site.
    ///
    /// # Errors
    /// `NoSuchSite`, also for a site that is not theirs; `Forbidden` for a key without `stats:read`.
    pub fn tenant(&self, caller: &Caller, site: SiteId) -> Result<Tenant, Denied> {
        caller.check_scope(Scope::StatsRead)?;
        self.role(caller, site)?;
        Ok(Tenant::mint(site))
    }

    /// What this caller is to this site.
    ///
    /// # Errors
    /// `NoSuchSite`, also for a site that is not theirs.
    pub fn role(&self, caller: &Caller, site: SiteId) -> Result<Role, Denied> {
        // One query for all cases, so that not even its time tells which sites exist.
        let (user, owner, own_site) = match &caller.who {
            Who::User(user) => (user.id.0, user.owner, None),
            Who::Site(own) => (0, false, Some(own.0)),
        };
        let sql = "SELECT CASE WHEN ?3 THEN 'owner' WHEN ?4 = s.id THEN 'viewer' ELSE r.role END
                   FROM sites s LEFT JOIN roles r ON r.site_id = s.id AND r.user_id = ?2
                   WHERE s.id = ?1";
        let role: Option<Option<String>> = self.with(|db| {
            let mut select = db.prepare_cached(sql)?;
            select.query_row(params![site.0, user, owner, own_site], |row| row.get(0)).optional()
        })?;
        role.flatten().as_deref().and_then(Role::named).ok_or(Denied::NoSuchSite)
    }

    /// The sites this caller may read, by domain, and what they are to each.
    ///
    /// # Errors
    /// SQLite fails.
    pub fn sites_of(&self, caller: &Caller) -> Result<Vec<(Site, Role)>, Denied> {
        let mut sites = Vec::new();
        for site in self.sites()? {
            match self.role(caller, site.id) {
                Ok(role) => sites.push((site, role)),
                Err(Denied::NoSuchSite) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(sites)
    }
}
