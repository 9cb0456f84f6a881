//! The names in the table: operation ids, tags, schemas and parameters.

/// Defines an enum of names.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum $name {
            $($(#[$about])* $word,)*
        }

        impl $name {
            /// Returns the name in the document.
            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)*
                }
            }
        }
    };
}

/// Defines an enum of names that the document lists.
macro_rules! listed_names {
    ($(#[$doc:meta])* $name:ident { $($word:ident = $text:literal,)* }) => {
        names! {
            $(#[$doc])*
            $name { $($word = $text,)* }
        }

        impl $name {
            pub(crate) const ALL: &[Self] = &[$(Self::$word,)*];
        }
    };
}

names! {
    /// The operation id of a route. The router has a handler for each one.
    RouteId {
        GenerateKey = "generate_key",
        ListKeys = "list_keys",
        ShowKey = "show_key",
        EditKey = "edit_key",
        DeleteKey = "delete_key",
        DisableKey = "disable_key",
        EnableKey = "enable_key",
        RotateKey = "rotate_key",
        FinishRotation = "finish_rotation",
        RevokeKey = "revoke_key",
        RevokeKeys = "revoke_keys",
        TransferKey = "transfer_key",
        RevokeOwned = "revoke_owned_keys",
        TransferOwned = "transfer_owned_keys",
        GenerateAccountKey = "generate_account_key",
        ShowAbilities = "show_abilities",
        CreateAccount = "create_account",
        ListAccounts = "list_accounts",
        ShowAccount = "show_account",
        EditAccount = "edit_account",
        DeleteAccount = "delete_account",
        DisableAccount = "disable_account",
        EnableAccount = "enable_account",
        ShowPolicy = "show_policy",
        ShowPlan = "show_plan",
        SetPlan = "set_plan",
        ShowSettings = "show_settings",
        EditSettings = "edit_settings",
        ShowUser = "show_user",
        EditUser = "edit_user",
        SuspendUser = "suspend_user",
        RestoreUser = "restore_user",
        ListEvents = "list_events",
        ShowDocument = "show_document",
        ListTenants = "list_tenants",
        ListAllKeys = "list_keys_of_all_tenants",
        FindKey = "find_key",
        RevokeInAnyTenant = "revoke_keys_in_any_tenant",
        RevokeOwnedInAllTenants = "revoke_owner_in_all_tenants",
        SweepAllTenants = "sweep_all_tenants",
        ShowOperatorDocument = "show_operator_document",
    }
}

listed_names! {
    /// The group of a route in the document.
    Tag {
        Keys = "keys",
        Accounts = "accounts",
        Owners = "owners",
        Users = "users",
        Policy = "policy",
        Events = "events",
        Tenants = "tenants",
        Api = "api",
    }
}

listed_names! {
    /// A schema of the document.
    Schema {
        Nothing = "Nothing",
        NewKey = "NewKey",
        NewAccountKey = "NewAccountKey",
        KeyEdit = "KeyEdit",
        Rotate = "Rotate",
        RevokeKeys = "RevokeKeys",
        TransferKey = "TransferKey",
        OwnerOfKeys = "OwnerOfKeys",
        HandOver = "HandOver",
        UserEdit = "UserEdit",
        NewAccount = "NewAccount",
        AccountEdit = "AccountEdit",
        Key = "Key",
        Overlap = "Overlap",
        KeyEntry = "KeyEntry",
        KeyPage = "KeyPage",
        KeyChange = "KeyChange",
        KeysChange = "KeysChange",
        Abilities = "Abilities",
        Issued = "Issued",
        Results = "Results",
        Account = "Account",
        AccountEntry = "AccountEntry",
        AccountPage = "AccountPage",
        AccountChange = "AccountChange",
        User = "User",
        UserChange = "UserChange",
        Event = "Event",
        EventPage = "EventPage",
        NamePattern = "NamePattern",
        Policy = "Policy",
        Plan = "Plan",
        PlanChange = "PlanChange",
        Settings = "Settings",
        SettingsEdit = "SettingsEdit",
        SettingsChange = "SettingsChange",
        Problem = "Problem",
        Document = "Document",
        Tenant = "Tenant",
        TenantPage = "TenantPage",
        Owner = "Owner",
        AnyTenantResults = "AnyTenantResults",
        OwnerResults = "OwnerResults",
        SweepResults = "SweepResults",
    }
}

names! {
    /// A parameter of a path, a query or a header.
    Parameter {
        KeyId = "id",
        AccountId = "id",
        UserId = "id",
        IfMatch = "If-Match",
        /// `If-Match` on a route that requires it.
        RequiredIfMatch = "If-Match",
        Search = "search",
        StartingWith = "starting_with",
        Limit = "limit",
        Cursor = "cursor",
        Status = "status",
        Owner = "owner",
        OwnerOfNewKey = "owner",
        OwnerKind = "owner_kind",
        Contact = "contact",
        Metadata = "metadata",
        Prefix = "prefix",
        ExpiringWithin = "expiring_within",
        UnusedSince = "unused_since",
        NeverUsed = "never_used",
        Sort = "sort",
        Descending = "descending",
        Count = "count",
        EventKey = "key",
        EventAccount = "account",
        EventActor = "actor",
        EventKind = "kind",
        Since = "since",
        Until = "until",
        OldestFirst = "oldest_first",
    }
}
