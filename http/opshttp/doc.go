// Package opshttp holds the routes of who runs the server: the outbox and the mail
// server, the jobs, the first-run assistant and the demo site. All are super-admins'.
package opshttp
