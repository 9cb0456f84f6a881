//! Rules that teach other scanners what a token looks like.

use std::fmt::Write;

use crate::value::text_enum::text_enum;
use crate::value::token::Prefix;

/// The least entropy of a token, in bits a character. Examples such as `acme_live_XXXX...` have less.
const ENTROPY: &str = "3.5";

text_enum! {
    /// A program or service that searches texts for secrets.
    ///
    /// None of them checks the checksum of a token. So each finds look-alikes, such as the examples in
    /// a document, that a [`Scanner`](crate::scan::Scanner) does not find.
    ///
    /// ```
    /// use keywright::Prefix;
    /// use keywright::scan::Tool;
    ///
    /// let prefixes = [Prefix::new("acme_live")?, Prefix::new("acme_test")?];
    /// let config = Tool::Gitleaks.rules(&prefixes);
    /// assert_eq!(config.matches("[[rules]]").count(), 2);
    /// # Ok::<(), keywright::PrefixError>(())
    /// ```
    pub enum Tool {
        /// The program gitleaks: rules for its configuration in TOML.
        Gitleaks = "gitleaks";
        /// The program TruffleHog: custom detectors for its configuration in YAML.
        Trufflehog = "trufflehog";
        /// GitHub's secret scanning: the fields of a custom pattern of a repository or organization.
        GithubPattern = "github-pattern";
        /// GitHub's partner program: the fields of the form for each type of token.
        GithubPartner = "github-partner";
        /// Regular expressions, one a line, for `grep -E -f` and `rg -f`.
        Regex = "regex";
    }
    ToolError: "a scanner with rules";
}

impl Tool {
    /// Returns the rules for tokens with these prefixes, as a text.
    ///
    /// ```
    /// use keywright::Prefix;
    /// use keywright::scan::Tool;
    ///
    /// let rules = Tool::Regex.rules(&[Prefix::new("acme_live")?]);
    /// assert_eq!(rules, "acme_live_[0-9A-Za-z]{48}[0-4][0-9A-Za-z]{5}\n");
    /// # Ok::<(), keywright::PrefixError>(())
    /// ```
    pub fn rules(self, prefixes: &[Prefix]) -> String {
        let mut rules = self.head().to_owned();
        for prefix in prefixes {
            // A string takes every write.
            let _ = self.rule(prefix, &mut rules);
        }
        rules
    }

    /// Returns the lines before the first rule.
    fn head(self) -> &'static str {
        match self {
            Self::Gitleaks => {
                "# For .gitleaks.toml. To keep the rules of gitleaks too, add these two lines:\n\
                 # [extend]\n\
                 # useDefault = true\n"
            }
            Self::Trufflehog => {
                "# For trufflehog --config FILE --results=verified,unknown,unverified\n\
                 detectors:\n"
            }
            Self::GithubPattern | Self::GithubPartner | Self::Regex => "",
        }
    }

    fn rule(self, prefix: &Prefix, rules: &mut String) -> std::fmt::Result {
        let pattern = prefix.pattern();
        match self {
            Self::Gitleaks => write!(
                rules,
                "\n[[rules]]\n\
                 id = \"{}-api-key\"\n\
                 description = \"API key with the prefix {prefix}\"\n\
                 regex = '''{pattern}'''\n\
                 entropy = {ENTROPY}\n\
                 keywords = [\"{prefix}_\"]\n",
                prefix.as_str().replace('_', "-"),
            ),
            Self::Trufflehog => write!(
                rules,
                "  - name: {prefix} API key\n    \
                     keywords:\n      \
                       - {prefix}_\n    \
                     regex:\n      \
                       token: \"{pattern}\"\n    \
                     entropy: {ENTROPY}\n",
            ),
            Self::GithubPattern => write!(
                rules,
                "Pattern name: {prefix} API key\n\
                 Secret format: {pattern}\n\
                 Before secret: \\A|[^0-9A-Za-z]\n\
                 After secret: \\z|[^0-9A-Za-z]\n\n",
            ),
            Self::GithubPartner => write!(
                rules,
                "Name: API key with the prefix {prefix}\n\
                 Token type: {prefix}_api_key\n\
                 Regular expression: {pattern}\n\n",
            ),
            Self::Regex => writeln!(rules, "{pattern}"),
        }
    }
}
