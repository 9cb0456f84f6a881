//! Enums whose values each have one text: operations, codes and fields.

/// Declares an enum with a text for each variant, and with `ALL`, `as_str` and `Display`.
///
/// With an error type, the enum can also be parsed from its text, and serde reads and writes the
/// text.
macro_rules! text_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$doc:meta])* $variant:ident = $text:literal;)+
        }
        $($error:ident: $message:literal;)?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        $vis enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All values, in the order of their declaration.
            $vis const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Returns the value as text, as `Display` prints it.
            $vis const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        $(
            #[doc = concat!("A text that is not ", $message, ".")]
            #[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
            #[error("{0:?} is not {what}", what = $message)]
            pub struct $error(String);

            impl std::str::FromStr for $name {
                type Err = $error;

                fn from_str(text: &str) -> Result<Self, $error> {
                    let found = Self::ALL.iter().find(|value| value.as_str() == text);
                    found.copied().ok_or_else(|| $error(crate::value::redact::redact(text)))
                }
            }

            crate::value::text::serde_as_text!($name);
        )?
    };
}

pub(crate) use text_enum;
