//! Reports that come in kinds: what the API calls each, and what stands in the column `kind`.

/// Declares the kinds of a report.
macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($variant,)+ }
        impl $name {
            /// Every kind.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];
            /// Its name in the API and in ClickHouse.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
            /// The kind of this name, if it is one.
            pub fn named(text: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|kind| kind.as_str() == text)
            }
        }
    };
}

kinds! {
    /// Where visits came from.
    SourceKind {
        Channel "channel",
        Source "source",
        Referrer "referrer",
        UtmSource "utm_source",
        UtmMedium "utm_medium",
        UtmCampaign "utm_campaign",
        UtmContent "utm_content",
        UtmTerm "utm_term",
    }
}

kinds! {
    /// Where visitors are.
    PlaceKind {
        Country "country",
        Region "region",
        City "city",
    }
}

kinds! {
    /// What visitors use.
    DeviceDimension {
        Browser "browser",
        BrowserVersion "browser_version",
        Os "os",
        OsVersion "os_version",
        Device "device",
        Screen "screen",
        Language "language",
    }
}
