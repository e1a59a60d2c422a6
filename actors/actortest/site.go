package actortest

import (
	"fmt"
	"slices"

	"mybeacon/schema"
)

// site is the world of a scenario: names, identifiers, layouts. Identifiers are
// derived from names, so that a scenario's visits are the same in every run.
type site struct {
	organisation schema.OrganisationID
	location     schema.LocationID
	layouts      *Layouts
	plans        map[string]schema.Layout
	receivers    map[string]*listening
	tags         map[string]schema.TagID
	names        map[[16]byte]string // of plans, zones and tags
}

// listening is a receiver with its device.
type listening struct {
	source schema.Source
	plan   string
}

func newSite() *site {
	return &site{
		organisation: schema.DeriveID[schema.OrganisationID]([]byte("organisation")),
		location:     schema.DeriveID[schema.LocationID]([]byte("location")),
		layouts:      &Layouts{},
		plans:        make(map[string]schema.Layout),
		receivers:    make(map[string]*listening),
		tags:         make(map[string]schema.TagID),
		names:        make(map[[16]byte]string),
	}
}

func (s *site) declare(f []string) error {
	if len(f) < 2 {
		return fmt.Errorf("%s has no name", f[0])
	}
	var err error
	switch name := f[1]; f[0] {
	case "tag":
		id := schema.DeriveID[schema.TagID]([]byte(name))
		s.tags[name], s.names[id] = id, name
	case "plan":
		err = s.declarePlan(name, f[2:])
	case "receiver":
		err = s.declareReceiver(name, f[2:])
	case "zone":
		err = s.declareZone(name, f[2:])
	case "part":
		err = s.declarePart(name, f[2:])
	case "nogo":
		err = s.declareNoGo(f[1:])
	}
	return err
}

func (s *site) declarePlan(name string, f []string) error {
	corners, err := points(f)
	if err == nil && len(corners) != 2 {
		err = fmt.Errorf("there are %d", len(corners))
	}
	if err != nil {
		return fmt.Errorf("plan %s needs two corners: %w", name, err)
	}
	id := schema.DeriveID[schema.PlanID]([]byte(name))
	s.names[id] = name
	s.put(name, schema.Layout{
		Organisation: s.organisation, Location: s.location, Plan: id, TagHeightM: 1,
		Bounds: schema.Rect{Min: corners[0], Max: corners[1]},
	})
	return nil
}

// on reads "on PLAN …" and returns the plan's layout to change.
func (s *site) on(f []string) (plan string, l schema.Layout, rest []string, err error) {
	if len(f) < 3 || f[0] != "on" {
		return "", l, nil, fmt.Errorf("needs: on PLAN and where")
	}
	l, ok := s.plans[f[1]]
	if !ok {
		return "", l, nil, fmt.Errorf("no plan %s", f[1])
	}
	return f[1], l, f[2:], nil
}

func (s *site) declareReceiver(name string, f []string) error {
	plan, l, rest, err := s.on(f)
	if err != nil {
		return err
	}
	p, err := point(rest[0], 3)
	if err != nil {
		return err
	}
	device := schema.DeriveID[schema.DeviceID]([]byte(name))
	receiver := schema.DeriveID[schema.ReceiverID]([]byte(name))
	l.Receivers = append(slices.Clone(l.Receivers), schema.Placement{Receiver: receiver, Device: device, X: p[0], Y: p[1], Z: p[2]})
	s.put(plan, l)
	s.receivers[name] = &listening{plan: plan, source: schema.Source{
		Organisation: s.organisation, Device: device, Location: s.location,
		Plan: l.Plan, Receiver: receiver, KeepDays: schema.KeepForever,
	}}
	return nil
}

func (s *site) declareZone(name string, f []string) error {
	plan, l, rest, err := s.on(f)
	if err != nil {
		return err
	}
	return s.putZone(plan, l, schema.Zone{Name: name}, rest)
}

// declarePart reads "of ZONE …".
func (s *site) declarePart(name string, f []string) error {
	if len(f) < 3 || f[0] != "of" {
		return fmt.Errorf("needs: of ZONE and where")
	}
	for plan, l := range s.plans {
		for _, z := range l.Zones {
			if z.Name == f[1] {
				return s.putZone(plan, l, schema.Zone{Name: name, Parent: z.ID}, f[2:])
			}
		}
	}
	return fmt.Errorf("no zone %s", f[1])
}

func (s *site) putZone(plan string, l schema.Layout, z schema.Zone, corners []string) error {
	polygon, err := points(corners)
	if err != nil {
		return err
	}
	z.ID, z.Number, z.Polygon = schema.DeriveID[schema.ZoneID]([]byte(z.Name)), len(l.Zones)+1, polygon
	s.names[z.ID] = z.Name
	l.Zones = append(slices.Clone(l.Zones), z)
	s.put(plan, l)
	return nil
}

func (s *site) declareNoGo(f []string) error {
	plan, l, rest, err := s.on(f)
	if err != nil {
		return err
	}
	polygon, err := points(rest)
	if err != nil {
		return err
	}
	l.NoGo = append(slices.Clone(l.NoGo), polygon)
	s.put(plan, l)
	return nil
}

func (s *site) put(name string, l schema.Layout) {
	s.plans[name] = l
	s.layouts.Put(l)
}

// remove takes a zone, a receiver or a plan away and returns the plan it was on.
func (s *site) remove(kind, name string) (schema.PlanID, error) {
	for planName, l := range s.plans {
		switch kind {
		case "plan":
			if planName == name {
				s.layouts.Remove(l.Plan)
				return l.Plan, nil
			}
		case "zone":
			if i := slices.IndexFunc(l.Zones, func(z schema.Zone) bool { return z.Name == name }); i >= 0 {
				l.Zones = slices.Delete(slices.Clone(l.Zones), i, i+1)
				s.put(planName, l)
				return l.Plan, nil
			}
		case "receiver":
			r := s.receivers[name]
			if r != nil && r.plan == planName {
				l.Receivers = slices.DeleteFunc(slices.Clone(l.Receivers), func(p schema.Placement) bool { return p.Receiver == r.source.Receiver })
				s.put(planName, l)
				return l.Plan, nil
			}
		}
	}
	return schema.PlanID{}, fmt.Errorf("no %s %s to remove", kind, name)
}
