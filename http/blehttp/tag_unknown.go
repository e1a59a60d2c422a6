package blehttp

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/modules/ble"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// UnknownTag is a transmitter that is heard and is no tag.
type UnknownTag struct {
	OrganisationID  schema.OrganisationID `json:"organisation_id" format:"uuid"`
	Transmitter     schema.Transmitter    `json:"transmitter"`
	Kind            string                `json:"kind" enum:"mac,ibeacon,eddystone"`
	RSSI            float64               `json:"rssi_dbm" doc:"Of the receiver that hears it loudest"`
	Receiver        *schema.ReceiverID    `json:"receiver" format:"uuid" doc:"null: the device hangs on no plan"`
	Device          schema.DeviceID       `json:"device" format:"uuid"`
	DeviceNumber    int64                 `json:"device_number" doc:"0: it is no more"`
	Location        schema.LocationID     `json:"location" doc:"Empty: the device is at none"`
	Plan            *schema.PlanID        `json:"plan" format:"uuid"`
	HeardAt         time.Time             `json:"heard_at"`
	FirstAt         time.Time             `json:"first_at"`
	Observations    uint64                `json:"observations" doc:"Of a sample: one frame a second of each device"`
	Address         *string               `json:"address" doc:"That it advertises from; null: the scanner did not say"`
	BatteryPercent  *int                  `json:"battery_percent" doc:"null: it does not say"`
	DefaultIdentity bool                  `json:"default_identity" doc:"Beacons are sold with it: any other one may send it"`
	Random          bool                  `json:"random" doc:"A bare address as phones use: it will soon be another one"`
	Group           int                   `json:"group" doc:"Not 0: this many identities of its UUID came and went, as when a sensor hides readings in major and minor"`
}

type unknownInput struct {
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid" doc:"Required of a super-admin"`
	Location       schema.LocationID     `query:"location" format:"uuid"`
	Random         bool                  `query:"random" doc:"Also bare addresses as phones use"`
}

type unknownOutput struct {
	Body struct {
		Items []UnknownTag `json:"items" nullable:"false" doc:"The loudest first, at most 1,000"`
	}
}

func (r *routes) unknownTags(s *shell.Server) {
	shell.Route(s, r.viewer, huma.Operation{
		OperationID: "list-ble-unknown-tags", Method: http.MethodGet, Path: root + "/tags/unknown", Tags: []string{"ble tags"},
		Summary: "List transmitters that were heard within the last hour and are no tags",
	}, r.listUnknown)
}

func (r *routes) listUnknown(ctx context.Context, in *unknownInput) (*unknownOutput, error) {
	p := shell.PrincipalOf(ctx)
	organisation, err := p.Owner(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	scope, ok := p.Scope().Narrow(organisation)
	if !ok {
		return nil, schema.Errorf(schema.NotFound, "organisation_id", "there is no such organisation")
	}
	found, err := r.module.Unknown(ctx, scope, ble.UnknownQuery{Location: in.Location, Random: in.Random})
	if err != nil {
		return nil, err
	}
	shell.Saw(ctx, organisation)
	out := &unknownOutput{}
	out.Body.Items = make([]UnknownTag, len(found))
	for i, u := range found {
		out.Body.Items[i] = unknownOf(organisation, u)
	}
	return out, nil
}

func unknownOf(organisation schema.OrganisationID, u ble.Unknown) UnknownTag {
	out := UnknownTag{
		OrganisationID: organisation, Transmitter: u.Transmitter, Kind: kindOf(u.Transmitter), RSSI: u.RSSI.DBm(),
		Device: u.Source.Device, DeviceNumber: u.DeviceNumber, Location: u.Source.Location,
		HeardAt: u.Last.UTC(), FirstAt: u.First.UTC(), Observations: u.Observations,
		DefaultIdentity: ble.IsDefaultIdentity(u.Transmitter), Random: u.Random, Group: u.Group,
	}
	if !u.Source.Plan.IsZero() {
		out.Receiver, out.Plan = &u.Source.Receiver, &u.Source.Plan
	}
	if u.Address != (schema.Address{}) {
		out.Address = new(u.Address.String())
	}
	if u.Battery != schema.NoBattery {
		out.BatteryPercent = new(int(u.Battery))
	}
	return out
}

func kindOf(t schema.Transmitter) string {
	switch t.Kind {
	case schema.TransmitterIBeacon:
		return "ibeacon"
	case schema.TransmitterEddystoneUID:
		return "eddystone"
	default:
		return "mac"
	}
}
