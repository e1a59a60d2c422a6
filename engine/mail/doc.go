// Package mail writes the mails that people get and sends them.
//
// A [Message] names a template of a closed set and what stands in it. [Queue.Send]
// stores it with the change that is the reason of the mail, in one transaction: no
// mail tells of what was rolled back, and none is forgotten when the process dies
// after the commit.
package mail
