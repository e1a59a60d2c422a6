package opshttp

import (
	"context"
	"net/http"
	"time"

	"mybeacon/engine/mail"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// MailSettings says by which server mails are sent.
type MailSettings struct {
	Configured bool   `json:"configured" doc:"false: no server is set (MYBEACON_SMTP), and mails are kept in the outbox. They are not sent by themselves when one is set later: retry sends them"`
	Server     string `json:"server" doc:"Without its login"`
	From       string `json:"from"`
}

// Mail is one mail of the outbox.
type Mail struct {
	ID             schema.MailID         `json:"id" format:"uuid"`
	OrganisationID schema.OrganisationID `json:"organisation_id" doc:"Empty: of none"`
	To             string                `json:"to"`
	Subject        string                `json:"subject"`
	Template       string                `json:"template"`
	State          string                `json:"state" enum:"queued,sent,failed,kept"`
	Attempts       int                   `json:"attempts"`
	Error          string                `json:"error" doc:"Of the last attempt, in the mail server's words"`
	CreatedAt      time.Time             `json:"created_at"`
	ExpiresAt      time.Time             `json:"expires_at" doc:"When its link ends; after that it is not sent"`
	SentAt         *time.Time            `json:"sent_at" doc:"null: not sent"`
}

// MailText is a mail with what it says.
type MailText struct {
	Mail
	Text string `json:"text"`
	HTML string `json:"html" doc:"Show it in a sandbox"`
	Link string `json:"link" doc:"The link in the mail while it is kept or queued, else empty"`
}

func mailOf(m postgres.Mail) Mail {
	return Mail{
		ID: m.ID, OrganisationID: m.Organisation, To: m.To, Subject: m.Subject, Template: m.Template, State: m.State,
		Attempts: m.Attempts, Error: m.Error, CreatedAt: m.CreatedAt.UTC(), ExpiresAt: m.ExpiresAt.UTC(), SentAt: optionalTime(m.SentAt),
	}
}

type (
	mailSettingsOutput struct{ Body MailSettings }
	mailOutput         struct{ Body Mail }
	mailTextOutput     struct{ Body MailText }
	mailPath           struct {
		ID string `path:"id" format:"uuid"`
	}
	mailList struct {
		shell.PageInput
		State string `query:"state" enum:"queued,sent,failed,kept"`
	}
	mailTest struct {
		Body struct {
			To       string `json:"to" maxLength:"254" doc:"Where the test mail goes"`
			Language string `json:"language,omitempty" enum:"ru,en" default:"en"`
		}
	}
)

func (r *routes) mails(s *shell.Server) {
	const tag = "mail"
	admin(s, route{tag, "get-mail-settings", http.MethodGet, "/mail", "Say by which server mails are sent", ok}, r.mailSettings)
	admin(s, route{tag, "test-mail", http.MethodPost, "/mail/test", "Send a test mail now and say what became of it", ok}, r.testMail)
	admin(s, route{tag, "list-mails", http.MethodGet, "/mails", "List the outbox, the newest first", ok}, r.listMails)
	admin(s, route{tag, "get-mail", http.MethodGet, "/mails/{id}", "Read a mail", ok}, r.getMail)
	admin(s, route{tag, "retry-mail", http.MethodPost, "/mails/{id}/retry", "Send a mail that was kept, has failed or waits", ok}, r.retryMail)
}

func (r *routes) mailSettings(context.Context, *nothing) (*mailSettingsOutput, error) {
	configured, server, from := r.Mail.Configured()
	return &mailSettingsOutput{MailSettings{Configured: configured, Server: server, From: from}}, nil
}

func (r *routes) testMail(ctx context.Context, in *mailTest) (*mailOutput, error) {
	p := shell.PrincipalOf(ctx)
	sent, err := r.Mail.Test(ctx, mail.Message{
		To: in.Body.To, Language: in.Body.Language, Template: mail.Test, Data: map[string]string{"by": p.Email}, Link: "/",
	})
	return &mailOutput{mailOf(sent)}, err
}

func (r *routes) listMails(ctx context.Context, in *mailList) (*shell.ListOutput[Mail], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	found, next, err := r.DB.Mails(ctx, postgres.MailFilter{State: in.State}, page)
	return shell.Paged(&in.PageInput, found, next, mailOf), err
}

func (r *routes) getMail(ctx context.Context, in *mailPath) (*mailTextOutput, error) {
	id, err := mailID(in.ID)
	if err != nil {
		return nil, err
	}
	row, err := r.DB.Mail(ctx, id)
	if err != nil {
		return nil, err
	}
	text, link, err := r.Mail.View(row)
	return &mailTextOutput{MailText{Mail: mailOf(row), Text: text.Text, HTML: text.HTML, Link: link}}, err
}

func (r *routes) retryMail(ctx context.Context, in *mailPath) (*mailOutput, error) {
	id, err := mailID(in.ID)
	if err != nil {
		return nil, err
	}
	row, err := r.Mail.Retry(ctx, id)
	return &mailOutput{mailOf(row)}, err
}
