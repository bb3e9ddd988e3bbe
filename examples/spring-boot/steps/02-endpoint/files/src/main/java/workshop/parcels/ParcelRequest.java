package workshop.parcels;

/** What a client sends to hand in a parcel. Weight in grams. */
public record ParcelRequest(String recipient, String postcode, int weight) {}
