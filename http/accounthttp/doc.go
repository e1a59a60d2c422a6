// Package accounthttp holds the routes about people and what they may: registration,
// links of mails, profiles, sessions, second factors, the people and API keys of an
// organisation, organisations themselves, and the switch of a super-admin into one.
//
// Every change is stored in one transaction with its entries in the audit log and its
// mails. Answers to who is not logged in never tell whether there is an account: they
// have the same words and cost the same work, and the mail alone differs.
//
// The routes keep nothing of their own; they are safe for concurrent use.
package accounthttp
