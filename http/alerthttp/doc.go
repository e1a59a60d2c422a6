// Package alerthttp serves alert rules, alerts and webhooks. A rule is at one location
// and so are its alerts: who does not see the location sees neither. Webhooks are the
// organisation's; their addresses, which may hold secrets, are shown to who manages its
// people and keys.
package alerthttp
