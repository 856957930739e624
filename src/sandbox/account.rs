//! `GET /v3/accounts/self`: an account of the documented shape, the same for everybody.

use serde_json::json;

use super::answer::Answer;

/// The account of a corporate admin.
pub(super) fn account() -> Answer {
    Answer::json(
        200,
        &json!({
            "uid": "5a4d0b0c5a4d0b0c5a4d0b0c5a4d0b0c",
            "account_type": "corporate_admin",
            "status": "active",
            "email": "admin@sandbox.example",
            "name": "Sandbox",
            "lastname": "Admin",
            "phone": "",
            "profile_image": "",
            "creation_date": "2026-01-01 00:00:00",
            "last_password_modification_date": "2026-01-01 00:00:00",
            "member_of": [],
            "account_data": { "company_name": "Sandbox", "default_file_type": "pdf", "save_history": true },
            "notifications": {},
            "settings": {},
        }),
    )
}
