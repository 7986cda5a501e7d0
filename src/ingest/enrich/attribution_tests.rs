//! Source and channel of real-world visits.
