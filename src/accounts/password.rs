//! Passwords: their rules, and argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane; Password
//! Storage Cheat Sheet). About 30 ms of one core each: call from a thread that may block.

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

use super::AccountsError;

const CHARS_MIN: usize = 10;
const BYTES_MAX: usize = 1024;

static ARGON2: LazyLock<Argon2<'static>> = LazyLock::new(|| {
    let params = Params::new(19 * 1024, 2, 1, None).expect("constant parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
});

/// Verified against when there is no such user, so that the answer takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    let mut password = [0u8; 32];
    rand::fill(&mut password);
    encode(&password)
});

/// Refuses a password that is too short to be safe or too long to be one.
pub(super) fn check(password: &str) -> Result<(), AccountsError> {
    let problem = if password.chars().count() < CHARS_MIN {
        format!("it is too short; use at least {CHARS_MIN} characters")
    } else if password.len() > BYTES_MAX {
        format!("it is too long; use at most {BYTES_MAX} bytes")
    } else {
        return Ok(());
    };
    Err(AccountsError::invalid("password", problem))
}

/// The PHC string to keep for a password.
pub(super) fn hash(password: &str) -> Result<String, AccountsError> {
    check(password)?;
    Ok(encode(password.as_bytes()))
}

/// Whether the password is the one hashed. `None` (no such user) takes the same time and is false.
pub(super) fn verify(password: &str, phc: Option<&str>) -> bool {
    let known = phc.is_some();
    // Longer ones were never set; hashing megabytes would only cost time.
    let password = if password.len() <= BYTES_MAX { password } else { "" };
    let Ok(hash) = PasswordHash::new(phc.unwrap_or(&NOBODY)) else { return false };
    let right = ARGON2.verify_password(password.as_bytes(), &hash).is_ok();
    right & known
}

fn encode(password: &[u8]) -> String {
    let mut salt = [0u8; 16];
    rand::fill(&mut salt);
    let hash = ARGON2.hash_password_with_salt(password, &salt);
    hash.expect("salt and password are within argon2's limits").to_string()
}

#[cfg(test)]
mod tests {
    use super::{check, hash, verify};

    #[test]
    fn only_the_right_password_fits() {
        let phc = hash("correct horse battery").unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(verify("correct horse battery", Some(&phc)));
        assert!(!verify("correct horse", Some(&phc)));
        assert!(!verify("correct horse battery", None));
        assert!(!verify("correct horse battery", Some("")));
    }

    #[test]
    fn short_and_huge_passwords_are_refused() {
        assert!(check("ninechars").is_err());
        assert!(check("zehn ßßßßß").is_ok());
        assert!(check(&"x".repeat(1024)).is_ok());
        assert!(check(&"x".repeat(1025)).is_err());
    }
}
