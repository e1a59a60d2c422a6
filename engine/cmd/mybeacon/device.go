package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

type deviceCmd struct {
	List  deviceListCmd  `cmd:"" help:"List devices by number."`
	Bind  deviceBindCmd  `cmd:"" help:"Bind a device to an organisation, or to nobody."`
	Token deviceTokenCmd `cmd:"" help:"Replace a device's token and print the new one."`
}

// deviceShown is what --json prints of a device.
type deviceShown struct {
	ID           schema.DeviceID `json:"id"`
	Number       int64           `json:"number"`
	MAC          string          `json:"mac"`
	Name         string          `json:"name"`
	Organisation string          `json:"organisation"`
	Location     string          `json:"location"`
	Status       string          `json:"status"`
	LastSeen     *time.Time      `json:"last_seen"`
	Version      string          `json:"version"`
	Token        string          `json:"token,omitempty"`
}

func showDevice(d postgres.Device) deviceShown {
	s := deviceShown{
		ID: d.ID, Number: d.Number, MAC: d.MAC, Name: d.Name, Organisation: d.OrganisationName, Location: d.LocationName,
		Status: postgres.StatusNever, Version: d.Version,
	}
	if !d.LastSeen.IsZero() {
		s.Status, s.LastSeen = postgres.StatusOffline, new(d.LastSeen.UTC())
	}
	if d.Online {
		s.Status = postgres.StatusOnline
	}
	return s
}

func (s deviceShown) row() string {
	seen := "-"
	if s.LastSeen != nil {
		seen = s.LastSeen.Format(time.RFC3339)
	}
	cells := []string{"#" + strconv.FormatInt(s.Number, 10), s.MAC, s.Name, s.Organisation, s.Location, s.Status, seen, s.Version}
	for i, cell := range cells {
		if cells[i] = plain(cell); cells[i] == "" {
			cells[i] = "-"
		}
	}
	return strings.Join(cells, "\t")
}

type deviceListCmd struct {
	relationalFlags
	Query        string `arg:"" optional:"" help:"A number, a part of a MAC address or of a name."`
	Organisation string `help:"Of this organisation only." placeholder:"NAME" xor:"whose"`
	Unbound      bool   `help:"Only those that are bound to nobody." xor:"whose"`
	Status       string `help:"Only of this status: ${enum}." enum:",online,offline,never" default:""`
	JSON         bool   `help:"Print JSON, one device a line." name:"json"`
}

// Run implements the command.
func (c *deviceListCmd) Run(e *env) error {
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	encoder := json.NewEncoder(e.stdout)
	if !c.JSON {
		fmt.Fprintln(table, "NUMBER\tMAC\tNAME\tORGANISATION\tLOCATION\tSTATUS\tLAST SEEN\tVERSION")
	}
	err := c.relational(e, func(ctx context.Context, db *postgres.DB) error {
		scope, err := scopeNamed(ctx, db, c.Organisation)
		if err != nil {
			return err
		}
		filter := postgres.DeviceFilter{Query: c.Query, Status: c.Status}
		if c.Unbound {
			filter.Bound = new(false)
		}
		return eachDevice(ctx, db, scope, filter, func(s deviceShown) error {
			if c.JSON {
				return encoder.Encode(s)
			}
			_, err := fmt.Fprintln(table, s.row())
			return err
		})
	})
	if err != nil {
		return err
	}
	return table.Flush()
}

// scopeNamed returns the scope of the organisation, of all for no name.
func scopeNamed(ctx context.Context, db *postgres.DB, name string) (postgres.Scope, error) {
	if name == "" {
		return postgres.AllOrganisations(), nil
	}
	o, err := organisationNamed(ctx, db, name)
	return postgres.In(o.ID), err
}

func eachDevice(ctx context.Context, db *postgres.DB, scope postgres.Scope, filter postgres.DeviceFilter, do func(deviceShown) error) error {
	page := postgres.Page{Limit: postgres.MaxLimit}
	for {
		found, next, err := db.Devices(ctx, scope, filter, page)
		if err != nil {
			return err
		}
		for _, d := range found {
			if err := do(showDevice(d)); err != nil {
				return err
			}
		}
		if next == (postgres.Cursor{}) {
			return nil
		}
		page.After = next
	}
}

// deviceArg names one device.
type deviceArg struct {
	Device string `arg:"" help:"Its number (5, #5) or its MAC address."`
	JSON   bool   `help:"Print JSON." name:"json"`
}

func (a deviceArg) find(ctx context.Context, db *postgres.DB) (postgres.Device, error) {
	var filter postgres.DeviceFilter
	number, err := strconv.ParseInt(strings.TrimPrefix(a.Device, "#"), 10, 64)
	if err == nil && number > 0 {
		filter.Number = number
	} else if filter.MAC, err = postgres.ParseMAC(a.Device); err != nil {
		return postgres.Device{}, schema.Errorf(schema.Invalid, "device", "%.40q is neither a number such as 5 nor a MAC address", a.Device)
	}
	found, _, err := db.Devices(ctx, postgres.AllOrganisations(), filter, postgres.Page{Limit: 1})
	switch {
	case err != nil:
		return postgres.Device{}, err
	case len(found) == 0:
		return postgres.Device{}, schema.Errorf(schema.NotFound, "device", "there is no device %.40q", a.Device)
	}
	return found[0], nil
}

func (a deviceArg) tell(e *env, what string, s deviceShown) error {
	if a.JSON {
		return json.NewEncoder(e.stdout).Encode(s)
	}
	fmt.Fprintln(e.stdout, what)
	return nil
}

type deviceBindCmd struct {
	relationalFlags
	deviceArg
	Organisation string `help:"To this organisation." placeholder:"NAME" xor:"whose" required:""`
	Nobody       bool   `help:"To nobody." xor:"whose" required:""`
	Location     string `help:"At this location of the organisation." placeholder:"NAME"`
}

// Run implements the command.
func (c *deviceBindCmd) Run(e *env) error {
	var d postgres.Device
	err := c.relational(e, func(ctx context.Context, db *postgres.DB) error {
		found, err := c.find(ctx, db)
		if err != nil {
			return err
		}
		ctx = atConsole(ctx)
		if c.Nobody {
			d, err = db.UnbindDevice(ctx, postgres.AllOrganisations(), found.ID)
			return err
		}
		d, err = c.bind(ctx, db, found)
		return err
	})
	if err != nil {
		return err
	}
	what := d.Title() + " is bound to nobody"
	if d.OrganisationName != "" {
		what = d.Title() + " is bound to " + plain(d.OrganisationName)
	}
	return c.tell(e, what, showDevice(d))
}

func (c *deviceBindCmd) bind(ctx context.Context, db *postgres.DB, d postgres.Device) (postgres.Device, error) {
	o, err := organisationNamed(ctx, db, c.Organisation)
	if err != nil {
		return d, err
	}
	if d.Organisation == o.ID && c.Location != "" && c.Location != d.LocationName {
		return d, schema.Errorf(schema.Conflict, "location", "%s is the organisation's already: move it in the console, which knows the plans it may hang on", d.Title())
	}
	if d.Organisation == o.ID {
		return d, nil
	}
	var at schema.LocationID
	if c.Location != "" {
		found, _, err := db.Locations(ctx, postgres.In(o.ID), postgres.LocationFilter{Name: c.Location}, postgres.Page{Limit: 1})
		if err != nil {
			return d, err
		}
		if len(found) == 0 {
			return d, schema.Errorf(schema.NotFound, "location", "the organisation has no location named %q", c.Location)
		}
		at = found[0].ID
	}
	return db.BindDevice(ctx, postgres.AllOrganisations(), d.ID, o.ID, at)
}

type deviceTokenCmd struct {
	relationalFlags
	deviceArg
}

// Run implements the command.
func (c *deviceTokenCmd) Run(e *env) error {
	token := postgres.NewSecret(postgres.DeviceTokenPrefix)
	var d postgres.Device
	err := c.relational(e, func(ctx context.Context, db *postgres.DB) error {
		found, err := c.find(ctx, db)
		if err != nil {
			return err
		}
		d, err = db.RotateDeviceToken(atConsole(ctx), postgres.AllOrganisations(), found.ID, token)
		return err
	})
	if err != nil {
		return err
	}
	shown := showDevice(d)
	shown.Token = token
	return c.tell(e, d.Title()+"\ntoken: "+token, shown)
}
